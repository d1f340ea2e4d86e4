/** One label and what the model gives it, in the shape of the zero-shot pipeline. */
export interface Prediction {
  label: string;
  score: number;
  /** Before the score function, when the label set asks for it. */
  logit?: number;
  /** Of image and label embedding, when the label set asks for it. */
  cosine?: number;
}
