/* Changing and revoking signers in a small world. */
#pragma once

#include "operator/revocation.h"
#include "operator/signers_publish.h"
#include "world.h"

static inline SvSignerPublication *
try_change (SvPublisher *publisher, const char *verb, const SvKeypair *named, gboolean dry_run, GError **error)
{
  const SvSignerRequest request = { .is_addition = strcmp (verb, "add") == 0,
                                    .account = sv_keypair_address (named),
                                    .dry_run = dry_run };
  return sv_publish_signer (publisher, &request, error);
}

static inline SvSignerPublication *
change (SvPublisher *publisher, const char *verb, const SvKeypair *named)
{
  GError *error = NULL;
  SvSignerPublication *publication = try_change (publisher, verb, named, FALSE, &error);
  g_assert_no_error (error);
  return publication;
}

static inline void
refused (SvPublisher *publisher, const char *verb, const SvKeypair *named, SvErrorCode code, const char *part)
{
  GError *error = NULL;
  g_assert_null (try_change (publisher, verb, named, FALSE, &error));
  world_assert_error (&error, code, part);
}

static inline char *
statement_key (guint64 number)
{
  return g_strdup_printf ("scorevision/signers/%" G_GUINT64_FORMAT ".json", number);
}

static inline gboolean
has_statement (const World *world, guint64 number)
{
  g_autofree char *key = statement_key (number);
  return sv_object_store_head (world->store, key, NULL, NULL);
}

static inline void
say (SvPublisher *publisher, const char *verb, const SvKeypair *named)
{
  g_autoptr (SvSignerPublication) publication = change (publisher, verb, named);
  g_assert_false (publication->was_there);
}

static inline SvIndex *
read_index (const World *world, const SvConfig *config)
{
  GError *error = NULL;
  g_autoptr (SvReader) reader = world_reader (world, config);
  SvIndex *index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  return index;
}

static inline void
revoke_on_chain (World *world, const SvKeypair *keypair)
{
  g_autofree char *text = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (keypair));
  world_commit (world, world->owner, text);
}

static inline SvRevocation *
revoke_one (World *world, SvReader *reader, const SvKeypair *wallet, const SvKeypair *named, gboolean dry_run, GError **error)
{
  const char *const accounts[] = { sv_keypair_address (named), NULL };
  const SvAnchorSlot slot = { world->config, world->chain, reader, wallet };
  const SvRevokeOptions options = { .dry_run = dry_run };
  return sv_revoke_signers (&slot, accounts, &options, error);
}
