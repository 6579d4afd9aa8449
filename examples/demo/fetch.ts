// Fetches URLs and prints what came: node fetch.js TIMEOUT_MS URL...
const [timeoutMs = "2000", ...urls] = process.argv.slice(2);
for (const url of urls) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(Number(timeoutMs)) });
    console.log(await response.text());
  } catch (error) {
    // fetch() wraps what really happened.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    console.log(`failed: ${cause instanceof Error ? cause.message : String(cause)}`);
    process.exitCode = 1;
  }
}
// A connection that was given up would keep the program waiting for ten seconds more.
process.exit();
