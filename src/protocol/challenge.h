/* Challenge API v3 (docs/protocol.md section 7): the request's form, the bound nonce, the auditable draw, the answer. Pure. */
#pragma once

#include "base/sha256.h"
#include "protocol/manifest.h"
#include "protocol/proof.h"

#define SV_CLIENT_ID_MAX 64
#define SV_NONCE_WINDOW_MS 60000
#define SV_CLIP_MAX_BYTES (G_GUINT64_CONSTANT (2) << 30)

/* The parts of a request, as received; NULL where absent. */
typedef struct
{
  const char *validator_hotkey;
  const char *signature;
  const char *nonce; /* nanoseconds since the epoch, 19 digits */
  const char *netuid;
  const char *element_id;
  const char *miner_hotkey;
  const char *chute_slug;
  const char *manifest_hash;    /* X-Manifest-Hash */
  const char *commitment_proof; /* X-Commitment-Proof */
  const char *client_id;        /* X-Client-Id */
  const char *x_nonce;          /* X-Nonce */
  const char *x_signature;      /* X-Signature */
  /* What sv_challenge_check_form() made of validator_hotkey and the signatures that it looked at, where the form is right. */
  guint8 asker_key[SV_PUBLIC_KEY_SIZE];
  SvSignature asker_signature;
  SvSignature asker_x_signature;
} SvChallengeRequest;

/* The first part that is missing or malformed ("element_id", "X-Manifest-Hash"), with @reason (transfer full) for people; NULL
 * when the form is right. The proof's form is not judged here. @legacy looks at the four parts of v2 only. */
const char *sv_challenge_check_form (SvChallengeRequest *request, guint netuid, gboolean legacy, char **reason);

/* Nanoseconds of a checked nonce within ±60 s of @now_ms. */
gboolean sv_nonce_is_fresh (const char *nonce, gint64 now_ms);

/* The bound X-Nonce: a lower-case UUID over the whole request. Accounts bare; @miner "" never: the asker if not named. @slug
 * and
 * @proof may be NULL, which counts as "". Returns: (transfer full), never NULL; "", which equals no X-Nonce, when a part (the
 * proof, whose form is not checked before) is not UTF-8. */
char *sv_bound_nonce (const char *base, guint netuid, const char *asker, const char *nonce, const char *element_id,
                      const char *miner, const char *slug, const char *proof);

/* What X-Signature is over: "{manifest_hash}:{nonce}". Returns: (transfer full). */
char *sv_challenge_signed_text (const char *manifest_hash, const char *x_nonce);
/* The same into @text, for parts whose form is right. Returns: its length. */
#define SV_CHALLENGE_SIGNED_TEXT_SIZE 144
gsize sv_challenge_signed_text_into (const char *manifest_hash, const char *x_nonce, char text[SV_CHALLENGE_SIGNED_TEXT_SIZE]);

/* The draw: seed = the first 53 bits of HMAC-SHA-256(K, canonical ["sv1/draw", …]). @manifest_hash enters in its stored form,
 * however it was sent: bare hex is given its prefix here. Accounts bare, @nonce the query nonce as sent. */
guint64 sv_draw_seed (const guint8 key[32], const char *manifest_hash, const char *element_id, const char *asker,
                      const char *miner_hotkey, const char *nonce);

/* The same by a K that was made ready once, which saves two of the seven SHA-256 blocks of each draw. As secret as K. */
typedef struct
{
  SvHmacSha256 mac;
} SvDrawKey;

void sv_draw_key_prepare (const guint8 key[32], SvDrawKey *prepared);
guint64 sv_draw_seed_by (const SvDrawKey *key, const char *manifest_hash, const char *element_id, const char *asker,
                         const char *miner_hotkey, const char *nonce);

/* (transfer none) the clip that the seed draws, NULL for an element without clips. */
const SvManifestClip *sv_draw_clip (const SvElement *element, guint64 seed);

/* "sha256:…" of K. Returns: (transfer full). */
char *sv_draw_commit (const guint8 key[32]);

/* Everything that the answer of section 7 holds. */
typedef struct
{
  char *clip_url;
  char *element_id;
  char *window_id;
  guint64 duration_ms;
  double fps;
  guint width;
  guint height;
  char *sport;
  char *scenario;
  char *challenge_type;
  char *manifest_hash; /* as it was sent */
  guint64 expiry_block;
  char *challenge_id; /* decimal string of an integer */
  guint64 block;
  gboolean commitment_finalized;
  char *clip_hash;
  guint64 clip_bytes;
  char *chute_slug;
  char *chute_id;
  char *hf_revision;
  guint64 seed;
  char *draw_commit;
} SvChallenge;

void sv_challenge_free (SvChallenge *challenge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvChallenge, sv_challenge_free)

json_t *sv_challenge_to_json (const SvChallenge *challenge);

/* The same as canonical text, written straight, for a challenge whose id is not known yet; what @challenge has for it is not
 * looked at. */
typedef struct
{
  char *text;
  gsize length;
  gsize id_at;       /* where the id's place is */
  gboolean is_owned; /* it is not in the caller's buffer */
} SvChallengeText;

#define SV_CHALLENGE_TEXT_USUAL_SIZE 4096 /* room for a usual answer, and for escapes while it is written */

/* Into @buffer of @size bytes, or, where that is too small, into memory of its own; sv_challenge_text_clear() in any case. */
void sv_challenge_write (const SvChallenge *challenge, char *buffer, gsize size, SvChallengeText *text);
/* Puts the id in, once. Returns: (transfer none) the whole text, with its @length. */
const char *sv_challenge_text_finish (SvChallengeText *text, guint64 challenge_id, gsize *length);
void sv_challenge_text_clear (SvChallengeText *text);

/* Reads an answer: every field there, well formed. Returns: (transfer full). */
SvChallenge *sv_challenge_from_json (const json_t *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The answer must agree with what was asked (section 8): manifest, window, element, slug, chute, revision, expiry, and the clip
 * must be in the verified manifest's element. SV_ERROR_VERIFY names what differs. */
gboolean sv_challenge_agrees (const SvChallenge *challenge, const SvManifest *manifest, const char *manifest_hash_as_sent,
                              const char *element_id, const SvBinding *binding, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One record of the issue log (section 7). */
typedef struct
{
  guint64 challenge_id;
  char *asker;
  char *miner;
  char *window_id;
  char *manifest_hash;
  char *element_id;
  char *clip_hash;
  guint64 seed;
  char *nonce;
  guint64 block;
  gint64 time_ms;
} SvIssueRecord;

void sv_issue_record_free (SvIssueRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssueRecord, sv_issue_record_free)
