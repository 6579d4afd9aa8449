const shownDigits = 12;

/** An id as a table has it. */
export function idText(id: string, whole: boolean): string {
  return whole ? id : id.slice(0, shownDigits);
}

/** Labels as Docker's listings have them. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
