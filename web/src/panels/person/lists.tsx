import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense } from 'react';
import type { Node } from '../../api/client';
import { contactsQuery, encountersQuery, infectedByQuery } from '../../api/queries';
import { formatCount, formatDuration } from '../../ui/format';
import { useSession, useSessionState } from '../../ui/session-context';
import { texts } from '../../ui/texts';
import { PersonLink, TimeLink } from './links';

/** Loaded when asked for: few visitors do. */
const Chain = lazy(() => import('../chain/chain'));
/** Contacts are asked for anew when the time on show has moved by so much. */
const CONTACTS_STEP_MS = 5000;

/** What happened to somebody, in order. */
export function History({ node }: { node: Node }) {
  const events: { ms: number; key: string; what: ReactNode }[] = [
    { ms: node.first_ms, key: 'first', what: texts.person.started },
    ...node.infections.map(({ time_ms, infector }) => ({
      ms: time_ms,
      key: `infection ${time_ms}`,
      what: <InfectedBy infector={infector} first={time_ms <= node.first_ms} />,
    })),
    { ms: node.last_ms, key: 'last', what: node.alive ? texts.person.ended : texts.person.died },
  ];
  return (
    <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0, display: 'grid', gap: 0.5 }}>
      {events.map(({ ms, key, what }) => (
        <Typography component="li" variant="body2" key={key} sx={{ display: 'flex', gap: 1.5 }}>
          <Box component="span" sx={{ color: 'text.secondary', flexShrink: 0 }}>
            <TimeLink ms={ms} />
          </Box>
          <span>{what}</span>
        </Typography>
      ))}
    </Box>
  );
}

function InfectedBy({ infector, first }: { infector?: string | null | undefined; first: boolean }) {
  if (infector == null) return first ? texts.person.infectedFirst : texts.person.infectedBySomebody;
  return (
    <>
      {texts.person.infectedBy} <PersonLink id={infector} />
    </>
  );
}

/** Whom somebody was near, from when, for how long, how near. */
export function Encounters({ id }: { id: string }) {
  const { runId } = useSession();
  const { data } = useQuery(encountersQuery(runId, id));
  if (data === undefined) return <Note text={texts.person.loading} />;
  if (data.length === 0) return <Note text={texts.person.encountersNone} />;
  return (
    <Rows
      heads={[texts.person.withWhom, texts.person.from, texts.person.lasted, texts.person.nearest]}
      rows={data.map((encounter) => ({
        key: `${encounter.with} ${encounter.from_ms}`,
        cells: [
          <PersonLink key="with" id={encounter.with} />,
          <TimeLink key="from" ms={encounter.from_ms} />,
          formatDuration(encounter.to_ms - encounter.from_ms + 1000),
          encounter.nearest?.toFixed(1) ?? '–',
        ],
      }))}
    />
  );
}

/** What somebody's device heard in the minute before the time on show. */
export function Contacts({ id }: { id: string }) {
  const { runId } = useSession();
  const toMs = useSessionState((state) => Math.ceil(state.timeMs / CONTACTS_STEP_MS) * CONTACTS_STEP_MS);
  const { data } = useQuery(contactsQuery(runId, id, toMs));
  if (data === undefined) return <Note text={texts.person.loading} />;
  if (data.length === 0) return <Note text={texts.person.contactsNone} />;
  return (
    <Rows
      heads={[texts.person.at, texts.person.withWhom, texts.person.distance]}
      rows={data.map((contact) => ({
        key: `${contact.with} ${contact.time_ms}`,
        cells: [
          <TimeLink key="at" ms={contact.time_ms} />,
          <PersonLink key="with" id={contact.with} />,
          contact.distance?.toFixed(1) ?? '–',
        ],
      }))}
    />
  );
}

/** Who infected somebody, and whom they infected. */
export function Infections({ node }: { node: Node }) {
  const { runId } = useSession();
  const { data: whom } = useQuery(infectedByQuery(runId, node.id));
  if (whom === undefined) return <Note text={texts.person.loading} />;
  const by = node.infections.filter((infection) => infection.infector != null);
  return (
    <Box sx={{ display: 'grid', gap: 1.25 }}>
      {by.length > 0 && (
        <PeopleWithTimes
          heading={texts.person.infectedBy}
          people={by.map((i) => ({ id: i.infector as string, ms: i.time_ms }))}
        />
      )}
      {whom.length > 0 ? (
        <PeopleWithTimes
          heading={`${texts.person.infectedWhom} (${formatCount(whom.length)})`}
          people={whom.map((i) => ({ id: i.infectee, ms: i.time_ms }))}
        />
      ) : (
        <Note text={texts.person.infectedNobody} />
      )}
      {whom.length > 0 && (
        <Box>
          <Subheading text={texts.chain.heading} />
          <Suspense fallback={<Note text={texts.person.loading} />}>
            <Chain id={node.id} />
          </Suspense>
        </Box>
      )}
    </Box>
  );
}

function PeopleWithTimes({ heading, people }: { heading: string; people: { id: string; ms: number }[] }) {
  return (
    <Box>
      <Subheading text={heading} />
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {people.map(({ id, ms }) => (
          <Typography component="li" variant="body2" key={`${id} ${ms}`} sx={{ display: 'flex', gap: 1.5 }}>
            <Box component="span" sx={{ color: 'text.secondary' }}>
              <TimeLink ms={ms} />
            </Box>
            <PersonLink id={id} />
          </Typography>
        ))}
      </Box>
    </Box>
  );
}

function Subheading({ text }: { text: string }) {
  return (
    <Typography variant="caption" component="h3" sx={{ color: 'text.secondary', m: 0 }}>
      {text}
    </Typography>
  );
}

export function Note({ text }: { text: string }) {
  return (
    <Typography variant="body2" sx={{ color: 'text.secondary' }}>
      {text}
    </Typography>
  );
}

function Rows({ heads, rows }: { heads: string[]; rows: { key: string; cells: ReactNode[] }[] }) {
  return (
    <Box
      component="table"
      sx={{
        width: '100%',
        borderCollapse: 'collapse',
        fontSize: '0.8rem',
        '& th': { textAlign: 'left', fontWeight: 500, color: 'text.secondary', pb: 0.5 },
        '& td': { py: 0.3, borderTop: 1, borderColor: 'divider' },
        '& th:last-of-type, & td:last-of-type': { textAlign: 'right' },
      }}
    >
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells }) => (
          <tr key={key}>
            {cells.map((cell, column) => (
              <td key={heads[column]}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </Box>
  );
}
