// Hears of the ends of runs, and takes a gateway's word only where its signature is right.
//
//   npm install standardwebhooks
//   WEBHOOK_SECRET=whsec_... PORT=8400 node webhook.js
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET ?? '');
/** A message may come twice, under the same id. */
const seen = new Set<string>();

const server = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += piece;
  const headers = request.headers as Record<string, string>;
  try {
    const { type, data } = webhook.verify(body, headers) as { type: string; data: { run: string } };
    const id = headers['webhook-id']!;
    if (!seen.has(id)) console.log(type, data.run);
    seen.add(id);
    response.writeHead(204).end();
  } catch {
    response.writeHead(401).end();
  }
});
server.listen(Number(process.env.PORT ?? 8400), '127.0.0.1', () =>
  console.log('listening', server.address()),
);
