/* Challenge requests, signed beforehand, so that a load generator spends no time on signatures. */
#pragma once

#include "base/config.h"
#include "keys/keypair.h"

/* One who asks, for his own commitment. */
typedef struct
{
  SvKeypair *keypair;
  char *proof;
} BenchAsker;

/* What all requests of a run have in common. */
typedef struct
{
  const char *authority; /* 127.0.0.1:8080 */
  const char *manifest_hash;
  const char *element_id;
  guint netuid;
  GPtrArray *askers; /* of BenchAsker, who take turns */
} BenchQuestion;

/* From words HOTKEY=PROOF up to NULL, keys from the configured wallet; what is wrong ends the program. Returns: (transfer full)
 * (element-type BenchAsker). */
GPtrArray *bench_read_askers (const SvConfig *config, char **words);

/* @n requests as bytes for the wire, each with a nonce of its own that is fresh now. @signs_twice: with X-Nonce, bound as our
 * client binds it, and X-Signature. Returns: (transfer full) an array of strings. */
GPtrArray *bench_sign_requests (const BenchQuestion *question, guint n, gboolean signs_twice);

/* What a public server sees: of twenty requests one is for v2, one has a wrong signature, one was sent before (401), and the
 * others are for v3 with one signature and with two in turn. Returns: as above. */
GPtrArray *bench_sign_mixed (const BenchQuestion *question, guint n);
#define BENCH_MIXED 20
#define BENCH_MIXED_REFUSED 2
