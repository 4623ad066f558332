/* BIP-39 phrases of 12, 15, 18, 21 or 24 English words, turned into a seed as Substrate does it: from the words' entropy, not
 * from their letters as other chains do. */
#pragma once

#include "keys/secret.h"

/* @phrase need not end with NUL; words may be parted by any white space. @password may be NULL. A wrong number of words, a word
 * that is not in the list (named by its position only: the word is part of a secret) and a wrong checksum are
 * SV_ERROR_MALFORMED. @what names the input in messages. */
gboolean sv_phrase_to_seed (const char *what, const char *phrase, gsize length, const char *password, guint8 seed[32],
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same words with single spaces between them. Returns: (transfer full). */
SvSecret *sv_phrase_normalize (const char *phrase, gsize length);
