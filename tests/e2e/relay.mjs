// A relay in front of the server that writes down what passes: what a runner asks, in which order, and what it is answered.
import { createServer, request } from 'node:http';

// { url, to(url), requests: [{ method, url, headers, status }], close() }. Hop-by-hop headers are not needed here: nobody
// upgrades.
export async function startRelay() {
  const relay = { requests: [], target: null };
  const server = createServer((incoming, outgoing) => {
    const entry = { method: incoming.method, url: new URL(incoming.url, relay.url), headers: incoming.headers };
    relay.requests.push(entry);
    const onward = request(new URL(incoming.url, relay.target), { method: incoming.method, headers: incoming.headers }, (answer) => {
      entry.status = answer.statusCode;
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  relay.url = `http://127.0.0.1:${server.address().port}`;
  relay.to = (url) => { relay.target = url; };
  relay.paths = () => relay.requests.map(({ url }) => url.pathname);
  relay.close = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return relay;
}
