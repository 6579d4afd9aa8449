/** C0 and C1 control characters and DEL: a terminal would obey them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f]/g;

/** A text that names and output of others went into, so that a terminal shows it and obeys none of it. */
export function printable(text: string): string {
  return text.replace(control, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return `\\x${code.padStart(2, "0")}`;
  });
}

/** Cuts a text to `length` characters, the last of which then is an ellipsis. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}
