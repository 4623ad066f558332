/* Saying things about signers in a world, and asking a reader what it makes of them. */
#pragma once

#include "base/rfc3339.h"
#include "distribution/signers_memory.h"
#include "world.h"

/* ── making ── */

static inline SvSignersStatement *
sign (const World *world, const SvKeypair *keypair, const SvSignersStatement *last, const char *change, guint64 from_block,
      const SvKeypair *named)
{
  GError *error = NULL;
  const SvSignerChange item = { (char *)sv_keypair_address (named), from_block };
  SvSignersStatement *statement = sv_signers_statement_sign (last, strcmp (change, "add") == 0, &item,
                                                             sv_chain_id (world->chain), keypair, sv_clock_ms (), &error);
  g_assert_no_error (error);
  return statement;
}

/* The document, to be changed. Returns: (transfer full). */
static inline json_t *
statement_json (const SvSignersStatement *statement)
{
  gsize length;
  const void *data = g_bytes_get_data (statement->document->bytes, &length);
  json_t *json = sv_json_parse ("statement", data, length, SV_SIGNERS_MAX_SIZE, NULL);
  g_assert_nonnull (json);
  return json;
}

static inline void
put_at (const World *world, guint64 number, GBytes *bytes)
{
  g_autofree char *key = g_strdup_printf ("scorevision/signers/%" G_GUINT64_FORMAT ".json", number);
  world_set_object (world, key, bytes);
}

static inline void
take_away (const World *world, guint64 number)
{
  g_autofree char *key = g_strdup_printf ("scorevision/signers/%" G_GUINT64_FORMAT ".json", number);
  world_remove_object (world, key);
}

/* Signs the next one and puts it into the store. */
static inline SvSignersStatement *
say (const World *world, const SvKeypair *keypair, const SvSignersStatement *last, const char *change, guint64 from_block,
     const SvKeypair *named)
{
  SvSignersStatement *statement = sign (world, keypair, last, change, from_block, named);
  put_at (world, statement->number, statement->document->bytes);
  return statement;
}

static inline void
say_so (const World *world, const SvKeypair *keypair, const SvSignersStatement *last, const char *change, guint64 from_block,
        const SvKeypair *named)
{
  g_autoptr (SvSignersStatement) statement = say (world, keypair, last, change, from_block, named);
  g_assert_nonnull (statement);
}

static inline void
next_sequence (SvIndex *index)
{
  index->sequence++;
}

static inline char *
publish (World *world)
{
  return world_publish (world, "w1", 0, 1000, "1", FALSE);
}

static inline void
publish_window (World *world)
{
  g_autofree char *hash = publish (world);
  g_assert_nonnull (hash);
}

static inline void
resign (World *world, const SvKeypair *keypair)
{
  world_resign_index (world, keypair, next_sequence);
}

static inline void
set_trust (World *world, const SvKeypair *first, const char *join, const SvKeypair *second)
{
  g_autofree char *setting =
      g_strdup_printf ("%s%s%s", sv_keypair_address (first), join, second != NULL ? sv_keypair_address (second) : "");
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", setting);
}

static inline void
revoke_on_chain (World *world, const SvKeypair *keypair)
{
  g_autofree char *text = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (keypair));
  world_commit (world, world->owner, text);
}

/* ── asking ── */

static inline void
accepts (SvReader *reader)
{
  GError *error = NULL;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (index);
}

static inline void
refuses (SvReader *reader, const char *part)
{
  GError *error = NULL;
  g_assert_null (sv_fetch_index (reader, SV_FETCH_NORMAL, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, part);
}

static inline guint
n_remembered (const World *world)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) statements = sv_signers_memory_read (world->config, sv_chain_id (world->chain), &error);
  g_assert_no_error (error);
  return statements->len;
}
