import { AutoTokenizer, env } from '@huggingface/transformers';

/** Token ids of prompts as the text tower takes them: N × length, padded, each beside its mask. */
export interface TokenBatch {
  ids: BigInt64Array;
  mask: BigInt64Array;
  count: number;
  length: number;
  /** Places of the prompts that had more tokens than fit. */
  truncated: number[];
}

export interface TextLimits {
  /** Tokens the text tower reads, begin and end marks included. */
  maxTokens: number;
  /** SigLIP was trained on texts padded to the full length and answers wrongly to shorter ones. */
  padTo: 'longest' | 'max';
}

export interface Tokenizer {
  tokenize(prompts: readonly string[]): TokenBatch;
  /** Token ids as text again, without begin, end and padding marks. */
  decode(ids: readonly number[]): string;
  /** Token ids of one prompt, uncut. */
  encode(prompt: string): number[];
}

/**
 * The model's own tokenizer, from `tokenizer.json` and `tokenizer_config.json` in its directory.
 *
 * Too long a prompt loses the tokens before its last one, as `truncation=True` does in Python: the end mark stays,
 * because CLIP reads the text's embedding there. (transformers.js would cut the mark off.)
 */
export async function loadTokenizer(modelDir: string, limits: TextLimits): Promise<Tokenizer> {
  env.allowRemoteModels = false;
  const tokenizer = await AutoTokenizer.from_pretrained(modelDir, { local_files_only: true });
  const padId = BigInt(tokenizer.pad_token_id ?? 0);
  // Some tokenizer.json do not list these as special, so that decoding would write them out.
  const { bos_token_id: begin, eos_token_id: end, pad_token_id: pad } = tokenizer;
  const { maxTokens, padTo } = limits;

  function tokenize(prompts: readonly string[]): TokenBatch {
    const sequences = prompts.map((prompt) => tokenizer.encode(prompt));
    const truncated = sequences.flatMap((ids, place) => (ids.length > maxTokens ? [place] : []));
    const fitting = sequences.map((ids) =>
      ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), ids.at(-1)!] : ids,
    );
    const length = padTo === 'max' ? maxTokens : Math.max(...fitting.map((ids) => ids.length));
    const ids = new BigInt64Array(prompts.length * length).fill(padId);
    const mask = new BigInt64Array(prompts.length * length);
    fitting.forEach((sequence, row) => {
      sequence.forEach((id, column) => {
        ids[row * length + column] = BigInt(id);
        mask[row * length + column] = 1n;
      });
    });
    return { ids, mask, count: prompts.length, length, truncated };
  }

  return {
    tokenize,
    encode: (prompt) => tokenizer.encode(prompt),
    decode: (ids) => {
      const words = ids.filter((id) => id !== begin && id !== end && id !== pad);
      return tokenizer.decode(words, { skip_special_tokens: true });
    },
  };
}
