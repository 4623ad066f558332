/* BIP-39's English word list, sorted; written at build time by embed_words.py. */
#pragma once

#define SV_PHRASE_N_WORDS 2048
#define SV_PHRASE_WORD_SIZE 9 /* eight letters at most, and NUL */

extern const char sv_phrase_words[SV_PHRASE_N_WORDS][SV_PHRASE_WORD_SIZE];
