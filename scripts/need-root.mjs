// Says in one line that root is needed, instead of failing half-way through.
if (process.getuid?.() !== 0) {
  console.error("weft makes network namespaces, which needs root: run this command as root.");
  process.exit(1);
}
