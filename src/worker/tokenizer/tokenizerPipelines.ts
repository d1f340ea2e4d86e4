/**
 * The steps of tokenizers whose classes in transformers set them whatever `tokenizer.json` says, in its format: CLIP's after
 * `tokenization_clip.py`, BERT's after `tokenization_bert.py` of transformers 5.24.
 */
import { ClipfleetError } from '../../shared/errors.ts';

/** A `tokenizer.json`, as far as it is changed here. */
export interface TokenizerJson {
  added_tokens: AddedToken[];
  normalizer: unknown;
  pre_tokenizer: unknown;
  post_processor: unknown;
  decoder: unknown;
  model: { type: string; vocab: Record<string, number> | unknown[]; [key: string]: unknown };
}

interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  [key: string]: unknown;
}

/** A `tokenizer_config.json`, as far as it is read here. */
export type TokenizerConfig = Record<string, unknown>;

const CLIP_BEGIN = '<|startoftext|>';
const CLIP_END = '<|endoftext|>';

const clipWords =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** CLIP's byte-pair encoding, over the pairs in `merges.txt` or `tokenizer.json`. */
export function clipTokenizer(
  vocab: Record<string, number>,
  merges: unknown,
  addedTokens: readonly AddedToken[] = [],
): TokenizerJson {
  const marks = [CLIP_BEGIN, CLIP_END];
  const begin = idOf(vocab, addedTokens, CLIP_BEGIN);
  const end = idOf(vocab, addedTokens, CLIP_END);
  const others = addedTokens.filter(({ content }) => !marks.includes(content));
  return {
    added_tokens: [...others, special(begin, CLIP_BEGIN), special(end, CLIP_END)],
    normalizer: sequence('normalizers', [
      { type: 'NFC' },
      { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
      { type: 'Lowercase' },
      // A text that is a mark in capitals would be taken for the mark, which Python does not do. Spaces mean nothing to the words below.
      { type: 'Prepend', prepend: ' ' },
    ]),
    pre_tokenizer: sequence('pretokenizers', [
      { type: 'Split', pattern: { Regex: clipWords }, behavior: 'Removed', invert: true },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ]),
    post_processor: {
      type: 'RobertaProcessing',
      sep: [CLIP_END, end],
      cls: [CLIP_BEGIN, begin],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      unk_token: CLIP_END,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}

/** BERT's WordPiece. Whether case and accents are kept is in `tokenizer_config.json`, which goes before `tokenizer.json`. */
export function bertTokenizer(
  vocab: Record<string, number>,
  config: TokenizerConfig,
  addedTokens?: readonly AddedToken[],
): TokenizerJson {
  const marks = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const [begin, end] = ['[CLS]', '[SEP]'].map((token) => idOf(vocab, addedTokens ?? [], token)) as [
    number,
    number,
  ];
  const mark = (token: string, id: number) => ({ id: token, ids: [id], tokens: [token] });
  const part = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  return {
    added_tokens: [
      ...(addedTokens ?? marks.flatMap((token) => (token in vocab ? [special(vocab[token]!, token)] : []))),
    ],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: config.tokenize_chinese_chars ?? true,
      strip_accents: config.strip_accents ?? null,
      lowercase: config.do_lower_case ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [part('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, part('[SEP]')],
      pair: [],
      special_tokens: { '[CLS]': mark('[CLS]', begin), '[SEP]': mark('[SEP]', end) },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** Normalizers one after the other, or pre-tokenizers. */
export function sequence(of: 'normalizers' | 'pretokenizers', steps: readonly unknown[]): unknown {
  return { type: 'Sequence', [of]: steps };
}

function special(id: number, content: string): AddedToken {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

function idOf(vocab: Record<string, number>, added: readonly AddedToken[], token: string): number {
  const id = added.find(({ content }) => content === token)?.id ?? vocab[token];
  if (id !== undefined) return id;
  throw new ClipfleetError('MODEL_INVALID', `Expected the token ${token} in the tokenizer's vocabulary.`);
}
