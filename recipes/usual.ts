/** @file What most recipes have alike: AdamW as PyTorch sets it, and which projections adapters sit on. */

export const USUAL_ADAMW = { betas: [0.9, 0.999] as [number, number], adamEpsilon: 1e-8 };

/** All of a Llama block but the gate, as the published code adapts. */
export const PROJECTIONS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj'];
