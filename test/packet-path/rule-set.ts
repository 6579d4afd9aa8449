/**
 * A table as `nft list table` prints it, with its chains first: sets grow, and hide them. Sets without
 * elements come last, a line each.
 */
export function chainsFirst(listed: string): string {
  const [head = "", ...rest] = listed.trimEnd().split("\n");
  const blocks = rest
    .slice(0, -1)
    .join("\n")
    .split(/\n\n(?=\t(?:set|map|chain) )/);
  const isChain = (block: string) => block.startsWith("\tchain ");
  const isFilled = (block: string) => block.includes("elements = {");
  const chains = blocks.filter(isChain);
  const filled = blocks.filter((block) => !isChain(block) && isFilled(block));
  const empty = blocks.filter((block) => !isChain(block) && !isFilled(block)).map(onOneLine);
  return [head, [...chains, ...filled, ...(empty.length > 0 ? [empty.join("\n")] : [])].join("\n\n"), "}"]
    .join("\n")
    .replaceAll(/,\s+/g, ", ")
    .replaceAll("\t", "    ");
}

/** nft reads a set in this form too. */
function onOneLine(block: string): string {
  const [head = "", ...body] = block.split("\n").map((line) => line.trim());
  return `\t${head} ${body.slice(0, -1).join("; ")}; }`;
}
