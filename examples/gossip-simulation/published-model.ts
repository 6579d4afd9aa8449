/**
 * The convergence that Serf publishes: the formula of its simulator page (www.serf.io/docs/internals/simulator.html;
 * gossip.md B.11), for a gossip interval of 200 ms to 3 nodes. It is a model, in whole rounds, not a measurement.
 */
export function publishedShare(nodes: number, loss: number, ms: number): number {
  const rounds = Math.floor(ms / 200);
  const contact = (3 / nodes) * (1 - loss) * 0.5;
  return 1 / (1 + (nodes + 1) * Math.exp(-contact * nodes * rounds));
}

/** When the model says that this share of the nodes knows, ms; for all of them, 99.99 %. */
export function publishedTime(nodes: number, loss: number, share: number): number {
  const wanted = Math.min(share, 0.9999);
  let ms = 0;
  while (publishedShare(nodes, loss, ms) < wanted) ms += 200;
  return ms;
}
