import { ClipfleetError } from '../../shared/errors.ts';
import {
  bertTokenizer,
  clipTokenizer,
  sequence,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizerPipelines.ts';

/** What a tokenizer's class in transformers says beyond its files. */
interface TokenizerClass {
  /** The tokens that its files need not name. */
  tokens: { pad_token?: string; bos_token?: string; eos_token?: string };
  padLeft?: boolean;
  /** The class's own steps, over the vocabulary of `tokenizer.json`. */
  rebuild?: (json: TokenizerJson, config: TokenizerConfig) => TokenizerJson;
}

const asInFile: TokenizerClass = { tokens: {} };

/** After the classes of transformers 5.24, without the `Fast` that older versions put behind their names. */
const classes: Record<string, TokenizerClass> = {
  CLIPTokenizer: {
    tokens: { pad_token: '<|endoftext|>', bos_token: '<|startoftext|>', eos_token: '<|endoftext|>' },
    rebuild: ({ model, added_tokens }) =>
      clipTokenizer(model.vocab as Record<string, number>, model.merges, added_tokens),
  },
  BertTokenizer: {
    tokens: { pad_token: '[PAD]', bos_token: '[CLS]', eos_token: '[SEP]' },
    rebuild: ({ model, added_tokens }, config) =>
      bertTokenizer(model.vocab as Record<string, number>, config, added_tokens),
  },
  SiglipTokenizer: { tokens: { pad_token: '</s>', eos_token: '</s>' } },
  Siglip2Tokenizer: {
    tokens: { pad_token: '<pad>', bos_token: '<bos>', eos_token: '<eos>' },
    padLeft: true,
    rebuild: (json) => ({
      ...json,
      normalizer: sequence('normalizers', [
        { type: 'Lowercase' },
        ...(json.normalizer ? [json.normalizer] : []),
      ]),
    }),
  },
  GemmaTokenizer: {
    tokens: { pad_token: '<pad>', bos_token: '<bos>', eos_token: '<eos>' },
    padLeft: true,
  },
  XLMRobertaTokenizer: { tokens: { pad_token: '<pad>', bos_token: '<s>', eos_token: '</s>' } },
  PreTrainedTokenizer: asInFile,
  TokenizersBackend: asInFile,
};

/** The class that transformers takes by a model's `model_type` where the tokenizer's files name none. */
const classOfModel: Record<string, string> = {
  clip: 'CLIPTokenizer',
  metaclip_2: 'XLMRobertaTokenizer',
  chinese_clip: 'BertTokenizer',
  siglip: 'SiglipTokenizer',
  siglip2: 'Siglip2Tokenizer',
};

export interface FollowedTokenizer {
  json: TokenizerJson;
  /** With the class's tokens where it names none. */
  config: TokenizerConfig;
  padLeft: boolean;
}

/**
 * A tokenizer's files as its class in transformers has them: some classes set steps, tokens and the side of the padding themselves.
 *
 * @throws MODEL_UNSUPPORTED for a class that is not known: what it does beyond its files would be left out without a word
 */
export function followClass(
  json: TokenizerJson,
  config: TokenizerConfig,
  modelType: string,
): FollowedTokenizer {
  const name = String(config.tokenizer_class ?? classOfModel[modelType] ?? 'PreTrainedTokenizer').replace(
    /Fast$/,
    '',
  );
  const known = classes[name];
  if (!known) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `Expected a tokenizer_class of ${Object.keys(classes).join(', ')}, got '${name}' in tokenizer_config.json: ` +
        'it may change texts in ways that tokenizer.json does not say.',
    );
  }
  const rebuilt = known.rebuild?.(json, config) ?? json;
  return {
    json: { ...rebuilt, normalizer: asInPython(rebuilt.normalizer) },
    config: { ...known.tokens, ...config },
    padLeft: config.padding_side === undefined ? (known.padLeft ?? false) : config.padding_side === 'left',
  };
}

interface Normalizer {
  type: string;
  lowercase?: boolean;
  handle_chinese_chars?: boolean;
  normalizers?: Normalizer[];
}

/** A capital sigma, which JavaScript gives another form at the end of a word. */
const plainSigma = { type: 'Replace', pattern: { String: 'Σ' }, content: 'σ' };

/**
 * Chinese characters beyond U+FFFF are words of their own. The library passes over them, because it looks at halves of them. The ranges are
 * those of BERT's `_is_chinese_char`.
 */
const spacedOut = {
  type: 'Replace',
  pattern: {
    Regex:
      '[\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}\\u{2B740}-\\u{2B81F}\\u{2B920}-\\u{2CEAF}\\u{2F800}-\\u{2FA1F}]',
  },
  content: ' $& ',
};

/** Steps before those in which the library differs from Python's: Python's lower-cases letter by letter, and reads whole characters. */
function asInPython(normalizer: unknown): unknown {
  const step = normalizer as Normalizer | null;
  if (!step) return step;
  if (step.normalizers) return { ...step, normalizers: step.normalizers.map(asInPython) };
  const isBert = step.type === 'BertNormalizer';
  const before = [
    ...(step.type === 'Lowercase' || (isBert && step.lowercase !== false) ? [plainSigma] : []),
    ...(isBert && step.handle_chinese_chars !== false ? [spacedOut] : []),
  ];
  return before.length > 0 ? sequence('normalizers', [...before, step]) : step;
}
