// A relay in front of a server that writes down what passes (what is asked, in which order, and what is answered), and in which
// a test can step in.
import { createServer, request } from 'node:http';

// { url, to(url), requests: [{ method, url, headers, status }], onRequest, onAnswer, close() }. Where one of these two is set, it is
// asked about each request before that is sent on, or about each answer before it is given, and whether it may be. Hop-by-hop headers
// are not needed here: nobody upgrades.
export async function startRelay() {
  const relay = { requests: [], target: null, onRequest: null, onAnswer: null };
  const server = createServer(async (incoming, outgoing) => {
    const entry = { method: incoming.method, url: new URL(incoming.url, relay.url), headers: incoming.headers };
    relay.requests.push(entry);
    if (await relay.onRequest?.(entry) === false) return outgoing.destroy();
    const onward = request(new URL(incoming.url, relay.target), { method: incoming.method, headers: incoming.headers }, async (answer) => {
      entry.status = answer.statusCode;
      if (await relay.onAnswer?.(entry) === false) return outgoing.destroy();
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
