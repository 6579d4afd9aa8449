import { z } from "zod";

/** What the daemon answers instead of a result. */
export const ErrorBody = z
  .strictObject({
    message: z.string().meta({ description: "What was wrong, with which value, and what would be right." }),
    code: z.string().meta({ description: "A stable code of docs/errors.md." }),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: "Error" });
export type ErrorBody = z.infer<typeof ErrorBody>;
