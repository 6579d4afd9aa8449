import { z } from "zod";
import { Time } from "./words.ts";

/** What answers. */
export const Version = z
  .strictObject({
    Version: z.string(),
    ApiVersion: z.literal("1"),
    KernelVersion: z.string(),
    NodeVersion: z.string(),
    Arch: z.string(),
  })
  .meta({ id: "Version" });
export type Version = z.infer<typeof Version>;

/** The daemon and its host in figures. */
export const Info = z
  .strictObject({
    Pid: z.number().int(),
    RootDir: z.string(),
    RunDir: z.string(),
    Networks: z.number().int(),
    Sandboxes: z.number().int(),
    SandboxesRunning: z.number().int(),
    StartedAt: Time,
    MemoryBytes: z.number().int().meta({ description: "Resident memory of the daemon." }),
    StoreRevision: z.number().int(),
  })
  .meta({ id: "Info" });
export type Info = z.infer<typeof Info>;

/** One difference between the host and what it should hold. */
export const DriftItem = z
  .strictObject({
    Drift: z.enum(["missing", "changed", "left over", "interface gone", "port taken"]),
    Object: z.string(),
    Wanted: z.unknown().optional(),
    Found: z.unknown().optional(),
  })
  .meta({ id: "DriftItem" });
export type DriftItem = z.infer<typeof DriftItem>;

/** What a repair could not mend. */
export const RepairReport = z
  .strictObject({
    Mended: z.array(z.string()),
    Unmended: z.array(z.strictObject({ What: z.string(), Error: z.string() })),
  })
  .meta({ id: "RepairReport" });
export type RepairReport = z.infer<typeof RepairReport>;

/** One line of the doctor's report. */
export const Finding = z
  .strictObject({
    Check: z.string(),
    Level: z.enum(["ok", "note", "warning", "problem"]),
    Found: z.string(),
    Advice: z.string().meta({ description: "What to do about it; empty when there is nothing." }),
  })
  .meta({ id: "Finding" });
export type Finding = z.infer<typeof Finding>;

/** Something that happened. */
export const Event = z
  .strictObject({
    Id: z.string().meta({ description: "Where to resume: the next event after this one." }),
    Time: Time,
    Type: z.enum(["network", "sandbox", "host", "daemon"]),
    Action: z.string(),
    Actor: z.strictObject({ Id: z.string(), Name: z.string(), Attributes: z.record(z.string(), z.string()) }),
  })
  .meta({ id: "Event" });
export type Event = z.infer<typeof Event>;

/** A request that is to be tried out; POST /v1/plan. */
export const PlanRequest = z
  .strictObject({
    Method: z.enum(["POST", "DELETE", "PUT"]),
    Path: z.string().meta({ description: "With its query: /v1/networks/web?force=true" }),
    Body: z.unknown().optional(),
  })
  .meta({ id: "PlanRequest" });
export type PlanRequest = z.infer<typeof PlanRequest>;

/** What a request would change in the kernel. */
export const Plan = z
  .strictObject({
    Status: z.number().int().meta({ description: "What the request would be answered with." }),
    Answer: z.unknown(),
    Steps: z.array(
      z.strictObject({
        Step: z.enum(["create", "change", "delete", "start", "signal"]),
        Object: z.string(),
        Value: z.unknown().optional(),
      }),
    ),
  })
  .meta({ id: "Plan" });
export type Plan = z.infer<typeof Plan>;
