import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon';

/** The page's few icons, drawn here so that no icon family has to be loaded. */
const PATHS = {
  play: 'M7.500 4.600a1 1 0 0 1 1.500-.87l11 7.400a1 1 0 0 1 0 1.740l-11 7.400a1 1 0 0 1-1.500-.87Z',
  pause:
    'M6.500 4h3.200a.8.8 0 0 1 .8.8v14.400a.8.8 0 0 1-.8.8H6.500a.8.8 0 0 1-.8-.8V4.800a.8.8 0 0 1 .8-.8Zm7.800 0h3.200a.8.8 0 0 1 .8.8v14.400a.8.8 0 0 1-.8.8h-3.200a.8.8 0 0 1-.8-.8V4.800a.8.8 0 0 1 .8-.8Z',
  replay: 'M12 5V1.800L7 6l5 4.200V7a5.500 5.500 0 1 1-5.500 5.500h-2A7.500 7.500 0 1 0 12 5Z',
  back: 'M5 5h2.400v14H5Zm13.500.300v13.400a.6.6 0 0 1-1 .48l-8-6.700a.6.6 0 0 1 0-.96l8-6.700a.6.6 0 0 1 1 .48Z',
  forward:
    'M16.600 5H19v14h-2.400ZM5.500 5.300v13.400a.6.6 0 0 0 1 .48l8-6.700a.6.6 0 0 0 0-.96l-8-6.700a.6.6 0 0 0-1 .48Z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6Z',
  minus: 'M5 11h14v2H5Z',
  home: 'M4 4h6v2H6v4H4Zm10 0h6v6h-2V6h-4ZM4 14h2v4h4v2H4Zm14 0h2v6h-6v-2h4Z',
  share:
    'M12 2.500l4.500 4.500-1.400 1.400L13 6.300V15h-2V6.300L8.900 8.400 7.500 7ZM5 11h3v2H6.500v6.500h11V13H16v-2h3.500v10.500h-15V11Z',
  theme: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2v14a7 7 0 0 1 0-14Z',
  keyboard:
    'M3 6h18a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1Zm1 2v8h16V8Zm1.500 1.200h2v2h-2Zm3.700 0h2v2h-2Zm3.700 0h2v2h-2Zm3.700 0h2v2h-2ZM7.500 12.800h9v2h-9Z',
  close:
    'M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12l5.600 5.600-1.400 1.400L12 13.400 6.400 19 5 17.600l5.600-5.600L5 6.400Z',
  search:
    'M10.500 4a6.500 6.500 0 0 1 5.150 10.470l4.200 4.200-1.400 1.400-4.200-4.200A6.500 6.500 0 1 1 10.500 4Zm0 2a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9Z',
  copy: 'M9 3h10a1.500 1.500 0 0 1 1.500 1.500V16H18.500V5H9ZM5 7h10a1.500 1.500 0 0 1 1.500 1.500v11A1.500 1.500 0 0 1 15 21H5a1.500 1.500 0 0 1-1.500-1.500v-11A1.500 1.500 0 0 1 5 7Zm.500 2v10h9V9Z',
} as const;

export function Icon({ name, ...props }: SvgIconProps & { name: keyof typeof PATHS }) {
  return (
    <SvgIcon fontSize="small" {...props}>
      <path d={PATHS[name]} />
    </SvgIcon>
  );
}
