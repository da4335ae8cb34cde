/** @file The control API's messages, as schemas that server and clients share. Depends on zod. */
import { z } from 'zod';
import { evaluationSchema } from '../formats/index.js';
import { answersView, type AnswersView } from '../monitor/index.js';
import { GOALS, RUN_COMMANDS, RUN_STATES } from './transitions.js';

/** Raised when a change would break a client that speaks the version before. */
export const CONTROL_VERSION = 1;
/** Those that requests may name. */
export const CONTROL_VERSIONS: readonly number[] = [CONTROL_VERSION];
/** Says so in every reply; a request that says another is refused. */
export const VERSION_HEADER = 'latstream-control';
/** Says in replies to whom a token was shown what it lets them do: `control` or `view`. */
export const ROLE_HEADER = 'latstream-role';

/** In bytes: a recipe is a few thousand. */
export const LONGEST_BODY = 2 ** 20;

const priority = z.int().min(-1_000_000).max(1_000_000);
const time = z.iso.datetime().nullable();
/** What clients tell their runs apart by: the daemon keeps it and reads nothing in it. */
const labels = z.record(z.string().regex(/^[\w.-]{1,100}$/), z.string().max(200));
const MOST_LABELS = 32;

/** The body of `POST /runs`. */
export const submission = z.strictObject({
  /** A whole recipe; paths in it are those of the daemon's machine. */
  recipe: z.unknown(),
  /** The recipe's if not given. */
  name: z
    .string()
    .max(100)
    .regex(/^[\w.-]+$/, 'letters, digits, dots, dashes and underscores')
    .exactOptional(),
  priority: priority.exactOptional(),
  labels: labels
    .refine((all) => Object.keys(all).length <= MOST_LABELS, `at most ${MOST_LABELS}`)
    .exactOptional(),
  /** Of the client's choosing: whoever submits with it again gets the run that it made first. */
  key: z.string().min(1).max(200).exactOptional(),
});
export type Submission = z.infer<typeof submission>;

/** What may change while a run trains. */
const settings = z.strictObject({
  /** Steps between evaluations; 0 for none. */
  evaluateEvery: z.int().nonnegative().exactOptional(),
  /** Of the defence, before its schedule. */
  learningRate: z.number().nonnegative().exactOptional(),
  /** The attack's radius. */
  epsilon: z.number().nonnegative().exactOptional(),
});
export type Settings = z.infer<typeof settings>;

/** The body of `PATCH /runs/ID`. */
export const change = z.strictObject({
  priority: priority.exactOptional(),
  settings: settings.exactOptional(),
});
export type Change = z.infer<typeof change>;

/** A run as clients see it. */
export const runView = z.object({
  id: z.string(),
  name: z.string(),
  directory: z.string(),
  /** The machine that has it, or had it last, where there may be several; null where there is one. */
  worker: z.string().nullable().default(null),
  priority: z.number(),
  /** None from a daemon that does not know them. */
  labels: labels.default({}),
  state: z.enum(RUN_STATES),
  /** What it will be, while it is stopping. */
  goal: z.enum(GOALS).nullable(),
  /** Why it is where it is. */
  reason: z.string().nullable(),
  /** What may be asked of it now. */
  commands: z.array(z.enum(RUN_COMMANDS)),
  /** Deaths of its process since its last new checkpoint. */
  attempts: z.number(),
  created: time,
  started: time,
  ended: time,
  /** Not to be tried again before. */
  retry: time,
  /** What was asked for and has not been taken yet: it will be at the next step. */
  asked: settings,
  /** Null without a process. */
  live: z
    .object({
      /** The address of its live page, on the daemon's machine. */
      page: z.string().nullable(),
      pid: z.number().nullable(),
      progress: z
        .object({
          part: z.string(),
          step: z.number(),
          steps: z.number(),
          stepsPerSecond: z.number().nullable(),
        })
        .nullable(),
    })
    .nullable(),
});
export type RunView = z.infer<typeof runView>;

/** The reply to `GET /runs`. */
export const runList = z.object({ runs: z.array(runView) });

/** A daemon that takes runs of the queue, or only serves it. */
export const workerView = z.object({
  /** Another one each time that it starts. */
  id: z.string(),
  /** Its machine. */
  host: z.string(),
  pid: z.number(),
  /** Of latstream. */
  version: z.string(),
  since: z.iso.datetime(),
  /** When it was heard of last, by the clock of the one that answers; null where that is not known. */
  heard: time.default(null),
  /** Runs at a time; 0: it only serves. */
  parallel: z.number(),
  /** Ids of those that it has. */
  runs: z.array(z.string()),
  /** It is the one that answers. */
  here: z.boolean(),
});
export type WorkerView = z.infer<typeof workerView>;

/** The reply to `GET /workers`. */
export const workerList = z.object({ workers: z.array(workerView) });

/** The reply to `GET /runs/ID/description`: what its live page is told of it, such as `recipe` and `graphs`. */
export const descriptionView = z.looseObject({ name: z.string() });

/** The query of `GET /runs/ID/metrics`. */
export const metricsQuery = z.strictObject({
  /** `next` of the reply before; without it, or with one of another record, from the beginning. */
  after: z.string().max(100).default(''),
  /** Of each arm and kind, at most. */
  points: z.coerce.number().pipe(z.int().min(2).max(4000)).default(1000),
});

/** The reply to it: a piece of the record, each arm and kind thinned out evenly. */
export const metricsView = z.object({
  metrics: z.array(
    z.object({
      run: z.string(),
      sequence: z.number(),
      time: z.number(),
      step: z.number(),
      kind: z.string(),
      /** Null is what was not finite. */
      values: z.record(z.string(), z.number().nullable()),
    }),
  ),
  /** They are from the beginning: forget what was read before. */
  fresh: z.boolean(),
  next: z.string(),
  /** There is more already. */
  more: z.boolean(),
});

export type MetricsView = z.infer<typeof metricsView>;

/** The query of `GET /runs/ID/answers`: which question of each table. */
export const answersQuery = z.strictObject({
  index: z.coerce.number().pipe(z.int().min(0)).default(0),
});

/** The reply to it. */
export { answersView, type AnswersView };

/** The reply to `GET /runs/ID/evaluation`. */
export const evaluationsView = z.object({
  /** What has been evaluated so far: the untrained model (`base`), then arms in the recipe's order. */
  models: z.array(z.object({ name: z.string(), evaluation: evaluationSchema })),
});
export type EvaluationsView = z.infer<typeof evaluationsView>;

/** The reply to `GET /runs/ID/files`. */
export const filesView = z.object({
  files: z.array(
    z.object({
      /** In the run's directory, with slashes. */
      path: z.string(),
      bytes: z.int().nonnegative(),
      /** Of so many bytes. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type FilesView = z.infer<typeof filesView>;

/** The reply to `GET /runs/ID/log`. */
export const logView = z.object({
  /** What happened to it in the queue, the newest 200, oldest first. */
  events: z.array(
    z.object({
      time: z.iso.datetime(),
      event: z.string(),
      state: z.enum(RUN_STATES),
      reason: z.string().nullable(),
    }),
  ),
  /** What the daemon has logged about it since it started, likewise. */
  lines: z.array(
    z.object({ time: z.iso.datetime(), level: z.enum(['info', 'warn', 'error']), message: z.string() }),
  ),
});
export type LogView = z.infer<typeof logView>;

/** Every reply with a status of 400 or more. */
export const refusal = z.object({
  error: z.object({
    code: z.string(),
    owner: z.string(),
    expected: z.string(),
    got: z.string(),
    hint: z.string(),
  }),
});
