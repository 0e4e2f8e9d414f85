import Box from '@mui/material/Box';
import type { FormEvent, ReactNode } from 'react';

/** A form that fills a dialog: its content scrolls, its buttons stay. What is wrong is said by the page, not by the browser. */
export function FormInDialog({
  onSubmit,
  children,
}: {
  onSubmit(event: FormEvent): void;
  children: ReactNode;
}) {
  return (
    <Box
      component="form"
      noValidate
      onSubmit={onSubmit}
      sx={{ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 0 }}
    >
      {children}
    </Box>
  );
}
