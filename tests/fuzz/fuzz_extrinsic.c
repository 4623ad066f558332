/* What a node tells of a block: the first byte chooses an extrinsic, a registration, the events of a block of eight, or a
 * header, the rest is its bytes. They are read for two small runtimes, and for the main network's where its metadata is at
 * hand. A text that is found is one that a commitment can hold: written and read again, it is the same. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "chain/subtensor/events.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/header.h"
#include "protocol/commitment.h"
#include "small_metadata.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define N_EXTRINSICS 8

static SvMetadata *
read_main_network (void)
{
  const char *shared = g_getenv ("SCOREVISION_SHARED");
  g_autofree char *path =
      g_build_filename (shared != NULL ? shared : "../shared", "chain", "subtensor-spec424-metadata-v16.scale", NULL);
  g_autofree char *content = NULL;
  gsize length;
  if (!g_file_get_contents (path, &content, &length, NULL))
    return NULL;
  return sv_metadata_parse (content, length, NULL);
}

static void
check_text (const char *text)
{
  if (text == NULL)
    return;
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpuint (strlen (text), <=, SV_COMMITMENT_MAX_TEXT);
}

static void
write_and_read_again (const SvMetadata *metadata, const SvKeypair *keypair, const SvCommitmentCall *found)
{
  const SvExtrinsicContext context = { .spec_version = 1 };
  g_auto (SvCommitmentCall) again = { 0 };
  gboolean is_one = FALSE;
  if (found->text == NULL || *found->text == '\0' || strlen (found->text) > sv_commitment_max_text (metadata))
    return;
  g_autoptr (GBytes) call = sv_commitment_call (metadata, found->netuid, found->text, NULL);
  g_assert_nonnull (call);
  g_autoptr (GBytes) extrinsic = sv_extrinsic_sign (metadata, &context, call, keypair, NULL);
  g_assert_nonnull (extrinsic);
  gboolean is_read = sv_extrinsic_read_commitment (metadata, g_bytes_get_data (extrinsic, NULL), g_bytes_get_size (extrinsic),
                                                   &is_one, &again, NULL);
  g_assert_true (is_read && is_one);
  g_assert_cmpstr (again.text, ==, found->text);
  g_assert_cmpuint (again.netuid, ==, found->netuid);
  g_assert_cmpmem (again.signer, sizeof again.signer, sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
}

static void
read_extrinsic (const SvMetadata *metadata, const SvKeypair *keypair, const guint8 *data, size_t size)
{
  g_auto (SvCommitmentCall) call = { 0 };
  gboolean is_one = FALSE;
  gboolean is_read = sv_extrinsic_read_commitment (metadata, data, size, &is_one, &call, NULL);
  g_assert_true (is_read || !is_one);
  g_assert_true (is_one || call.text == NULL);
  check_text (call.text);
  if (is_one)
    write_and_read_again (metadata, keypair, &call);
}

static void
read_registration (const SvMetadata *metadata, const guint8 *data, size_t size)
{
  g_auto (SvRegistration) registration = { 0 };
  if (sv_registration_decode (metadata, data, size, &registration, NULL))
    check_text (registration.text);
}

static void
read_events (const SvMetadata *metadata, const guint8 *data, size_t size)
{
  g_auto (SvBlockOutcomes) outcomes = { 0 };
  if (!sv_events_read_outcomes (metadata, data, size, N_EXTRINSICS, &outcomes, NULL))
    return;
  g_assert_cmpuint (outcomes.n, ==, N_EXTRINSICS);
  for (guint i = 0; i < N_EXTRINSICS; i++)
    g_assert_true ((outcomes.failures[i] != NULL) == (outcomes.outcomes[i] == SV_OUTCOME_FAILURE));
}

static void
read_header (const guint8 *data, size_t size)
{
  SvHeader header;
  g_autoptr (json_t) json = sv_json_parse ("header", data, size, 1024 * 1024, NULL);
  if (json == NULL || !sv_header_from_json (json, &header, NULL))
    return;
  g_assert_cmpuint (strlen (header.hash), ==, SV_BLOCK_HASH_TEXT - 1);
  g_assert_cmpuint (strlen (header.parent), ==, SV_BLOCK_HASH_TEXT - 1);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static SvMetadata *runtimes[3];
  static SvKeypair *keypair;
  if (keypair == NULL)
  {
    runtimes[0] = small_metadata_new (&(SmallRuntime){ .max_fields = 3, .has_big_raw = TRUE });
    runtimes[1] = small_metadata_new (&(SmallRuntime){ .has_bare_address = TRUE, .swaps_arguments = TRUE });
    runtimes[2] = read_main_network ();
    keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  }
  if (size == 0)
    return 0;
  for (gsize i = 0; i < G_N_ELEMENTS (runtimes) && runtimes[i] != NULL; i++)
    switch (data[0] % 4)
    {
    case 0:
      read_extrinsic (runtimes[i], keypair, data + 1, size - 1);
      break;
    case 1:
      read_registration (runtimes[i], data + 1, size - 1);
      break;
    case 2:
      read_events (runtimes[i], data + 1, size - 1);
      break;
    default:
      read_header (data + 1, size - 1);
      break;
    }
  return 0;
}
