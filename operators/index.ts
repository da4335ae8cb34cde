export { attackLoss, attackRowLosses } from './attack/loss.js';
export { createAttack, type Attack, type AttackKey, type AttackOptions } from './attack/attack.js';
export { attackPlan, type AttackPlan } from './attack/plan.js';
export type { Whitening } from './attack/adversary.js';
export type {
  AdversaryConfig,
  AttackConfig,
  AttackLosses,
  AttackObjective,
  DefendConfig,
  DefendLosses,
  TrainConfig,
} from './config.js';
export { partsOf, type DefendPart } from './defend/part.js';
export type { DefenceLoss } from './defend/losses.js';
export { createDefender } from './defend/defend.js';
export type { Defender, DefenderOptions, DefenderState, DefendTrace } from './defend/defender.js';
export { away, AWAY_FLOOR, forwardKl, kl, logOdds, toward } from './objectives/losses.js';
export { attackedSlots, feedOf, type BatchFeed, type BatchTensors } from './feed.js';
export { programName, type Model, type ModelWeights } from './model.js';
export { decoderWeights, pairLosses } from './objectives/pair-losses.js';
export { ATTACK_AIMS } from './objectives/pair-objectives.js';
export { NO_PASSES, allPasses, passesOver, type Passes } from './passes.js';
export { vectorNorms, type AttackTrace, type Perturbation, type PerSite } from './perturbation.js';
export { checkpointStore, type CheckpointStore } from './checkpoint.js';
export { CHECKPOINT_FORMAT, type Checkpoint } from './manifest.js';
export type { LiveSettings, Settings } from './settings.js';
export { compare, type Comparison } from './evaluation/compare.js';
export type {
  AblationConfig,
  AutoPromptConfig,
  EvaluateConfig,
  GcgConfig,
  JudgeConfig,
  LatentGrid,
  LinearProbeConfig,
  PairConfig,
  QualityConfig,
  SoftPromptConfig,
  TableConfig,
  WeightsConfig,
} from './evaluation/config.js';
export type { AttackOutcome, BenignOutcome } from './evaluation/answered.js';
export type { AnswerRecord, EvaluateOptions } from './evaluation/ask.js';
export { evaluate, unlessStopped, type Evaluation } from './evaluation/evaluate.js';
export { evaluationValues } from './evaluation/values.js';
export type { ChatQuestion, Quality } from './evaluation/measures/quality.js';
export type { Recall } from './evaluation/measures/linear-probe.js';
export type { Strongest } from './evaluation/strongest.js';
export { likelihoodOf, type Likelihood, type RowLoss } from './evaluation/measures/likelihood.js';
export { judge, OUTCOMES, REFUSAL_PHRASES, type Answer, type Outcome } from './evaluation/judge.js';
export { judgeOf, type Judge } from './evaluation/judges.js';
export type { Asking, Attempt, Inside, Method, Subject } from './evaluation/method.js';
export {
  NO_QUESTIONS,
  readQuestions,
  type Question,
  type QuestionNotes,
  type Questions,
  type ReadQuestionsOptions,
} from './evaluation/questions.js';
export type { PoolConfig, TriggerConfig } from './suffix/config.js';
export { createPool, type Pool, type PoolOptions, type PoolState } from './suffix/pool.js';
export { suffixOf, type Chat } from './suffix/suffix.js';
export type { TokenLosses } from './suffix/token-search.js';
export { searchTrigger, type Trigger, type TriggerOptions } from './suffix/trigger.js';
export { run, type RunEnd, type RunParts } from './run.js';
export { subjectOf } from './evaluation/subject.js';
export {
  calibrate,
  suggest,
  type Calibration,
  type CalibrationGrid,
  type CalibrationPoint,
  type SiteNorm,
} from './calibrate.js';
export { whiten } from './attack/whiten.js';
export { programRun } from './moment.js';
