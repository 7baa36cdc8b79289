import { readFileSync } from 'node:fs';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** One line of the demo day: what came, and when. */
interface DemoLine {
  text: string;
  /** Undefined for a line that is broken in the log itself. */
  body: Json | undefined;
  receivedAt: string;
}

const parse: (text: string) => Json = JSON.parse;

/** The lines of `fixtures/demo-day.ndjson`. A body that was logged without its row has the time of the row before it. */
function demoLines(): DemoLine[] {
  const log = readFileSync(new URL('../../fixtures/demo-day.ndjson', import.meta.url), 'utf8');
  let receivedAt = '2025-09-16T11:00:00Z';
  return log
    .trimEnd()
    .split('\n')
    .map((text) => {
      receivedAt = /^\{"id":\d+,"received_at":"([^"]+)"/.exec(text)?.[1] ?? receivedAt;
      return { text: bodyText(text), body: bodyOf(text), receivedAt };
    });
}

function bodyOf(text: string): Json | undefined {
  try {
    const row = parse(text);
    const isRow = typeof row === 'object' && row !== null && !Array.isArray(row) && 'received_at' in row;
    return isRow ? (row.payload ?? null) : row;
  } catch {
    return undefined;
  }
}

/** What a program that prints the bodies prints; of the broken row, as much as there is. */
function bodyText(text: string): string {
  const body = bodyOf(text);
  return body === undefined ? text.slice(text.indexOf('{', 1)) : JSON.stringify(body);
}

/** The file in /var/lib/docker/containers of a program that prints each webhook behind a word. */
function asDockerLog(): string {
  const line = (log: string, time: string): string =>
    JSON.stringify({ log: `${log}\n`, stream: 'stdout', time });
  return demoLines()
    .flatMap(({ text, receivedAt }) => [
      line('POST /webhook 200', receivedAt.replace('Z', '.000000000Z')),
      line(`webhook ${text}`, receivedAt.replace('Z', '.000000000Z')),
    ])
    .map((text) => `${text}\n`)
    .join('');
}

/** What n8n's API answers to GET /executions?includeData=true; the broken row never got as far as n8n. */
function asN8nExecutions(): string {
  const executions = demoLines().flatMap(({ body, receivedAt }, index) =>
    body === undefined
      ? []
      : [
          JSON.stringify({
            id: String(index + 1),
            finished: true,
            mode: 'webhook',
            startedAt: receivedAt.replace('Z', '.000Z'),
            stoppedAt: receivedAt.replace('Z', '.480Z'),
            workflowId: '1001',
            data: {
              resultData: {
                runData: {
                  Webhook: [
                    {
                      executionTime: 1,
                      data: {
                        main: [
                          [
                            {
                              json: {
                                headers: { host: 'n8n.example.com', 'content-type': 'application/json' },
                                params: {},
                                query: {},
                                body,
                              },
                            },
                          ],
                        ],
                      },
                    },
                  ],
                },
                lastNodeExecuted: 'Webhook',
              },
            },
          }),
        ],
  );
  return `{"data":[\n${executions.join(',\n')}\n],"nextCursor":null}\n`;
}

/** A value as Ruby 3.3 prints it. */
function inspect(value: Json): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return JSON.stringify(value).replace(/#(?=[{$@])/g, '\\#');
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(inspect).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, one]) => `${inspect(key)}=>${inspect(one)}`)
    .join(', ')}}`;
}

/** Rails' log of a controller that gets the webhooks: each body stands in it twice, under its own keys and under the controller's. */
function asRailsLog(): string {
  return demoLines()
    .flatMap(({ body, receivedAt }, index) => {
      if (typeof body !== 'object' || body === null || Array.isArray(body)) return [];
      const id = `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`;
      const line = (text: string): string =>
        `I, [${receivedAt.replace('Z', '.000000')} #1]  INFO -- : [${id}] ${text}\n`;
      return [
        line(
          `Started POST "/webhooks/whatsapp" for 10.0.0.1 at ${receivedAt.replace('T', ' ').replace('Z', ' +0000')}`,
        ),
        line('Processing by Webhooks::WhatsappController#process_payload as */*'),
        line(`  Parameters: ${inspect({ ...body, whatsapp: body })}`),
      ];
    })
    .join('');
}

/** The demo day in the forms in which such days are really found, by the name of its fixture. */
export const DEMO_FORMS: Readonly<Record<string, () => string>> = {
  'demo-day-docker.log': asDockerLog,
  'demo-day-n8n.json': asN8nExecutions,
  'demo-day-rails.log': asRailsLog,
};
