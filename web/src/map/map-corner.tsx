import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import type { ReactElement } from 'react';
import { useChoices } from '../ui/choices';
import { Icon } from '../ui/icons';
import { texts } from '../ui/texts';
import { scaleBar } from './backdrop';
import { useMapHandle } from './handle';
import type { View } from './view';

/** What lies on the map's corners: zoom buttons, the scale bar, a note. */
export function MapCorner({ view }: { view: View | undefined }) {
  const map = useMapHandle();
  const note = useChoices(({ realism, drawing }) => {
    if (drawing === 'density') return texts.map.density;
    return realism && drawing !== 'icons' ? texts.map.crowd : undefined;
  });
  const bar = view && scaleBar(view);
  return (
    <>
      <Box sx={{ position: 'absolute', right: 10, top: 10, display: 'grid', gap: 0.75 }}>
        <CornerButton
          label={texts.map.zoomIn}
          onClick={() => map.current?.zoom(1.5)}
          icon={<Icon name="plus" />}
        />
        <CornerButton
          label={texts.map.zoomOut}
          onClick={() => map.current?.zoom(1 / 1.5)}
          icon={<Icon name="minus" />}
        />
        <CornerButton
          label={texts.map.home}
          onClick={() => map.current?.home()}
          icon={<Icon name="home" />}
        />
      </Box>
      {bar !== undefined && (
        <Box
          sx={{
            position: 'absolute',
            left: 10,
            bottom: 10,
            px: 0.75,
            pb: 0.75,
            borderRadius: 0.6,
            pointerEvents: 'none',
            color: 'text.secondary',
            bgcolor: 'background.default',
          }}
        >
          <Typography variant="caption" component="p" sx={{ lineHeight: 1.3 }}>
            {texts.map.scale(bar.units)}
          </Typography>
          <Box
            style={{ width: bar.px }}
            sx={{ height: 5, border: '1.5px solid', borderTop: 0, borderColor: 'text.secondary' }}
          />
        </Box>
      )}
      {note !== undefined && (
        <Typography
          role="status"
          variant="body2"
          sx={{
            position: 'absolute',
            left: 12,
            top: 10,
            px: 1.25,
            py: 0.5,
            borderRadius: 1,
            bgcolor: 'background.paper',
            border: 1,
            borderColor: 'divider',
          }}
        >
          {note}
        </Typography>
      )}
    </>
  );
}

function CornerButton({ label, onClick, icon }: { label: string; onClick(): void; icon: ReactElement }) {
  return (
    <Tooltip title={label} placement="left">
      <IconButton
        aria-label={label}
        size="small"
        onClick={onClick}
        sx={{
          bgcolor: 'background.paper',
          border: 1,
          borderColor: 'divider',
          borderRadius: 1,
          '&:hover': { bgcolor: 'background.default' },
        }}
      >
        {icon}
      </IconButton>
    </Tooltip>
  );
}
