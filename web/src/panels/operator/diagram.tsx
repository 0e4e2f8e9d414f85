import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import useMediaQuery from '@mui/material/useMediaQuery';
import { Fragment } from 'react';
import type { LaboratoryInfo } from '../../api/operator';
import { operatorTexts as texts } from '../../ui/texts-operator';
import { arrange, type Station, type Way } from './arrange';
import { KindPicture } from './kind-picture';
import { PartBox } from './part-box';
import { WayArrow } from './way-arrow';

const SHOWN_MAX = 2;

/** The parts along the way of a record; from top to bottom where the screen is narrow. */
export function Diagram({ info }: { info: LaboratoryInfo }) {
  const vertical = !useMediaQuery('(min-width: 1080px)');
  const { stations, ways } = arrange(info);
  const template = stations.map(() => 'minmax(160px, 1fr)').join(' minmax(84px, 0.4fr) ');
  return (
    <Box
      component="section"
      aria-label={texts.diagram}
      sx={{
        display: 'grid',
        alignItems: 'start',
        gap: vertical ? 1 : 1.25,
        gridTemplateColumns: vertical ? 'minmax(0, 1fr)' : template,
      }}
    >
      {stations.map((station, index) => (
        <Fragment key={station.kind}>
          {index > 0 && (
            <Box sx={{ pt: vertical ? 0 : 9 }}>
              <WayArrow way={ways[index - 1] as Way} vertical={vertical} />
            </Box>
          )}
          <StationColumn station={station} info={info} wide={vertical} />
        </Fragment>
      ))}
    </Box>
  );
}

function StationColumn({ station, info, wide }: { station: Station; info: LaboratoryInfo; wide: boolean }) {
  const { kind, parts } = station;
  return (
    <Box sx={{ minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', columnGap: 1, mb: 1 }}>
        <KindPicture kind={kind} />
        <Box>
          <Typography variant="h2" component="h3" sx={{ fontSize: '0.95rem', lineHeight: 1.25 }}>
            {texts.kinds[kind]}
          </Typography>
          <Typography variant="caption" component="p" sx={{ color: 'text.secondary', m: 0, lineHeight: 1.3 }}>
            {texts.kindHints[kind]}
          </Typography>
        </Box>
      </Box>
      <Box
        {...(parts.length > SHOWN_MAX && { tabIndex: 0, role: 'region', 'aria-label': texts.kinds[kind] })}
        sx={{
          display: 'grid',
          gap: 1,
          // Many parts scroll by themselves, so that what happens to the records stays in view.
          ...(parts.length > SHOWN_MAX && { maxHeight: 300, overflowY: 'auto' }),
          gridTemplateColumns: wide ? 'repeat(auto-fill, minmax(min(100%, 230px), 1fr))' : 'minmax(0, 1fr)',
        }}
      >
        {parts.map((part) => (
          <PartBox
            key={part.name}
            part={part}
            run={info.runs.find(({ run }) => run === part.run)?.name}
            nowMs={info.now_ms}
          />
        ))}
        {parts.length === 0 && <Built kind={kind} />}
      </Box>
    </Box>
  );
}

/** A station without a process of its own: a file, or somebody else's service. */
function Built({ kind }: { kind: Station['kind'] }) {
  return (
    <Box sx={{ border: 1, borderStyle: 'dotted', borderColor: 'divider', borderRadius: 1, p: 1.25 }}>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {texts.noProcess(texts.kinds[kind])}
      </Typography>
    </Box>
  );
}
