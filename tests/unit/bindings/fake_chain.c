#include "fake_chain.h"

#include "base/error.h"

static void
fill_block (const FakeChain *chain, guint64 number, SvBlock *block)
{
  memset (block, 0, sizeof *block);
  block->number = number;
  g_snprintf (block->hash, sizeof block->hash, "0x%032x%032x", g_array_index (chain->branches, guint, number), (guint)number);
}

static gboolean
fake_head (SvChain *base, SvHead *head, GError **error)
{
  FakeChain *chain = (FakeChain *)base;
  guint64 best = fake_chain_head (chain);
  chain->n_calls++;
  fill_block (chain, best, &head->best);
  chain->final = MAX (chain->final, best - MIN (best, chain->finality));
  fill_block (chain, chain->final, &head->finalized);
  return TRUE;
}

static gboolean
fake_block (SvChain *base, guint64 number, SvBlock *block, GError **error)
{
  FakeChain *chain = (FakeChain *)base;
  chain->n_calls++;
  if (number <= fake_chain_head (chain))
  {
    fill_block (chain, number, block);
    return TRUE;
  }
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "no block");
  return FALSE;
}

static SvExtrinsic *
copy_extrinsic (const SvExtrinsic *extrinsic)
{
  SvExtrinsic *copy = g_memdup2 (extrinsic, sizeof *extrinsic);
  copy->signer = g_strdup (extrinsic->signer);
  copy->text = g_strdup (extrinsic->text);
  return copy;
}

static gboolean
is_gone (const FakeChain *chain, guint64 block)
{
  for (guint i = 0; i < chain->unreadable->len; i++)
    if (g_array_index (chain->unreadable, guint64, i) == block)
      return TRUE;
  return FALSE;
}

static GPtrArray *
fake_commitments (SvChain *base, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  FakeChain *chain = (FakeChain *)base;
  chain->n_calls++;
  if (chain->before_read)
    chain->before_read (chain->before_read_data);
  if (last >= chain->fail_from)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "no answer");
    return NULL;
  }
  chain->n_blocks_read += last - first + 1;
  *unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint64 block = first; block <= last; block++)
    if (is_gone (chain, block))
      g_array_append_val (*unreadable, block);
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  for (guint i = 0; i < chain->extrinsics->len; i++)
  {
    const SvExtrinsic *extrinsic = chain->extrinsics->pdata[i];
    if (extrinsic->block >= first && extrinsic->block <= last && !is_gone (chain, extrinsic->block))
      g_ptr_array_add (found, copy_extrinsic (extrinsic));
  }
  return found;
}

static void
fake_close (SvChain *base)
{
  FakeChain *chain = (FakeChain *)base;
  g_array_unref (chain->branches);
  g_array_unref (chain->unreadable);
  g_ptr_array_unref (chain->extrinsics);
  g_free (base->url);
  g_free (chain);
}

static const SvChainEngine fake_engine = {
  .close = fake_close, .head = fake_head, .block = fake_block, .commitments = fake_commitments
};

FakeChain *
fake_chain_new (guint64 finality)
{
  FakeChain *chain = g_new0 (FakeChain, 1);
  chain->base.engine = &fake_engine;
  chain->base.url = g_strdup ("fake:chain");
  chain->base.id.netuid = 44;
  g_snprintf (chain->base.id.genesis, sizeof chain->base.id.genesis, "0x%064d", 7);
  chain->branches = g_array_new (FALSE, FALSE, sizeof (guint));
  chain->unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
  chain->extrinsics = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  chain->finality = finality;
  chain->fail_from = G_MAXUINT64;
  fake_chain_grow (chain, 1);
  return chain;
}

guint64
fake_chain_head (const FakeChain *chain)
{
  return chain->branches->len - 1;
}

void
fake_chain_grow (FakeChain *chain, guint64 n)
{
  for (; n > 0; n--)
    g_array_append_val (chain->branches, chain->salt);
}

const SvExtrinsic *
fake_chain_include (FakeChain *chain, const char *signer, const char *text, gboolean succeeded)
{
  fake_chain_grow (chain, 1);
  SvExtrinsic *extrinsic = g_new0 (SvExtrinsic, 1);
  extrinsic->block = fake_chain_head (chain);
  extrinsic->signer = g_strdup (signer);
  extrinsic->text = g_strdup (text);
  extrinsic->succeeded = succeeded;
  g_snprintf (extrinsic->hash, sizeof extrinsic->hash, "0x%032x%032x", 0xe0000000u + chain->salt, (guint)extrinsic->block);
  g_ptr_array_add (chain->extrinsics, extrinsic);
  return extrinsic;
}

void
fake_chain_drop (FakeChain *chain, guint64 n)
{
  chain->salt++;
  g_array_set_size (chain->branches, (guint)(chain->branches->len - n));
  for (guint i = chain->extrinsics->len; i > 0; i--)
    if (((SvExtrinsic *)chain->extrinsics->pdata[i - 1])->block > fake_chain_head (chain))
      g_ptr_array_remove_index (chain->extrinsics, i - 1);
  if (fake_chain_head (chain) >= chain->final)
    return;
  chain->final = fake_chain_head (chain) - MIN (fake_chain_head (chain), chain->finality);
  chain->base.has_final = FALSE;
}

SvBindings *
step (SvFollower *follower)
{
  g_autoptr (GError) error = NULL;
  gboolean done = sv_follower_step (follower, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return sv_follower_bindings (follower);
}

gboolean
knows (const SvBindings *bindings, const SvExtrinsic *extrinsic)
{
  SvProof proof = { .block = extrinsic->block };
  SvProofExtrinsic found;
  g_strlcpy (proof.hash, extrinsic->hash, sizeof proof.hash);
  return sv_bindings_find (bindings, &proof, &found) && found.found && strcmp (found.text, extrinsic->text) == 0 &&
         strcmp (found.signer, extrinsic->signer) == 0 && found.succeeded == extrinsic->succeeded;
}
