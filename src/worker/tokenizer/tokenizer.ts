import { Tokenizer as TokenizerSteps } from '@huggingface/tokenizers';
import { readTokenizer, type TokenizerPlace } from './tokenizerFiles.ts';

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
  /**
   * SigLIP was trained on texts padded to the full length and answers wrongly to shorter ones; a graph of a fixed length takes no other,
   * which may be more tokens than the model reads.
   */
  padTo: 'longest' | 'max' | number;
}

export interface Tokenizer {
  tokenize(prompts: readonly string[]): TokenBatch;
  /** Token ids as text again, without begin, end and padding marks. */
  decode(ids: readonly number[]): string;
  /** Token ids of one prompt, uncut. */
  encode(prompt: string): number[];
}

/**
 * The model's own tokenizer, as Python's tokenizers and its class in transformers have it.
 *
 * Too long a prompt loses the tokens before its last one, as `truncation=True` does in Python: the end mark stays,
 * because CLIP reads the text's embedding there.
 *
 * @throws as `readTokenizer` does
 */
export async function loadTokenizer(place: TokenizerPlace, limits: TextLimits): Promise<Tokenizer> {
  const { json, config, padLeft } = await readTokenizer(place);
  const tokenizer = new TokenizerSteps(json, config);
  const idOf = (token: unknown) => (typeof token === 'string' ? tokenizer.token_to_id(token) : undefined);
  const pad = idOf(config.pad_token) ?? idOf(config.eos_token) ?? 0;
  // Some tokenizer.json do not list these as special, so that decoding would write them out.
  const marks = [
    idOf(config.bos_token),
    idOf(config.eos_token),
    idOf(config.cls_token),
    idOf(config.sep_token),
    pad,
  ];
  const { maxTokens, padTo } = limits;
  const encode = (prompt: string): number[] => tokenizer.encode(prompt).ids;

  function tokenize(prompts: readonly string[]): TokenBatch {
    const sequences = prompts.map(encode);
    const truncated = sequences.flatMap((ids, place) => (ids.length > maxTokens ? [place] : []));
    const fitting = sequences.map((ids) =>
      ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), ids.at(-1)!] : ids,
    );
    const longest = () => Math.max(...fitting.map((ids) => ids.length));
    const length = typeof padTo === 'number' ? padTo : padTo === 'max' ? maxTokens : longest();
    const ids = new BigInt64Array(prompts.length * length).fill(BigInt(pad));
    const mask = new BigInt64Array(prompts.length * length);
    fitting.forEach((sequence, row) => {
      const start = row * length + (padLeft ? length - sequence.length : 0);
      sequence.forEach((id, column) => {
        ids[start + column] = BigInt(id);
        mask[start + column] = 1n;
      });
    });
    return { ids, mask, count: prompts.length, length, truncated };
  }

  return {
    tokenize,
    encode,
    decode: (ids) => {
      const words = ids.filter((id) => !marks.includes(id));
      return tokenizer.decode(words, { skip_special_tokens: true });
    },
  };
}
