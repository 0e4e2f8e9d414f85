import Box from '@mui/material/Box';
import { styleOf, useChoices } from '../ui/choices';
import { GLYPH_BOX, PATHS } from '../ui/glyphs';
import type { Category } from '../ui/palette';
import { useMapPalette } from '../ui/use-map-palette';

/** A person of this category, as the map draws them now. */
export function CategoryMark({
  category,
  faint = false,
  size = 16,
}: {
  category: Category;
  faint?: boolean;
  size?: number;
}) {
  const palette = useMapPalette();
  const style = useChoices(styleOf);
  return (
    <Box
      component="svg"
      viewBox={`0 0 ${GLYPH_BOX} ${GLYPH_BOX}`}
      aria-hidden="true"
      sx={{ width: size, height: size, flexShrink: 0, opacity: faint ? 0.35 : 1 }}
    >
      <path d={PATHS[style][category]} fill={palette.people[category]} fillRule="evenodd" />
    </Box>
  );
}
