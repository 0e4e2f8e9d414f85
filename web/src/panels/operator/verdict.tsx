import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { Verdict } from '../../api/operator';
import { formatCount } from '../../ui/format';
import { operatorTexts } from '../../ui/texts-operator';

const texts = operatorTexts.audit;
const ROWS = ['recorded', 'stored', 'lost', 'doubled', 'wrong', 'unknown', 'waiting', 'late'] as const;

/** Of these there should be none. */
const BAD: ReadonlySet<string> = new Set(['lost', 'doubled', 'wrong', 'unknown']);

/** What the auditor found: all well or not, in shape, colour and word, and each count. */
export function VerdictTable({ verdict }: { verdict: Verdict }) {
  return (
    <Box data-testid="verdict" data-ok={verdict.ok}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, mb: 0.75 }}>
        <Box
          component="svg"
          viewBox="0 0 24 24"
          aria-hidden="true"
          sx={{ width: 22, height: 22, flexShrink: 0, color: verdict.ok ? 'success.main' : 'error.main' }}
        >
          <path
            fill="currentColor"
            fillRule="evenodd"
            d={
              verdict.ok
                ? 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20Zm5.200 6.200-6.600 7.100-3.700-3.500-1.400 1.500 5.200 5 8-8.700Z'
                : 'M12 2 23 21H1Zm-1.100 6v6.500h2.200V8Zm0 8.300v2.200h2.200v-2.200Z'
            }
          />
        </Box>
        <Typography sx={{ fontWeight: 650 }}>{verdict.ok ? texts.ok : texts.notOk}</Typography>
      </Box>
      <Box
        component="table"
        sx={{
          width: '100%',
          borderCollapse: 'collapse',
          fontSize: '0.84rem',
          '& th': {
            textAlign: 'left',
            fontWeight: 500,
            fontSize: '0.75rem',
            color: 'text.secondary',
            py: 0.25,
          },
          '& td': { borderTop: 1, borderColor: 'divider', py: 0.35 },
          '& .number': { textAlign: 'right' },
        }}
      >
        <thead>
          <tr>
            <th scope="col">{texts.columns.what}</th>
            <th scope="col" className="number">
              {texts.columns.count}
            </th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map((row) => ({ row, count: verdict[row] }))
            .filter(({ count }) => count != null)
            .map(({ row, count }) => (
              <tr key={row}>
                <td>{texts.rows[row]}</td>
                <Box component="td" className="number" sx={{ fontWeight: BAD.has(row) && count ? 700 : 400 }}>
                  {formatCount(count ?? 0)}
                </Box>
              </tr>
            ))}
        </tbody>
      </Box>
      <Words heading={texts.examples} lines={verdict.examples} />
      <Words heading={texts.unchecked} lines={verdict.unchecked} />
    </Box>
  );
}

function Words({ heading, lines }: { heading: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <>
      <Typography variant="caption" component="h4" sx={{ color: 'text.secondary', m: 0, mt: 1 }}>
        {heading}
      </Typography>
      <Box component="ul" sx={{ m: 0, pl: 2, fontSize: '0.78rem', overflowWrap: 'anywhere' }}>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </Box>
    </>
  );
}
