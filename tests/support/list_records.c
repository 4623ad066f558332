/* Prints what the chain or the issue log holds, one JSON object per line, for tests that hold a program's promises against it:
 * `list_records chain` or `list_records issued`, configured by the environment as sv is. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "chain/chain.h"
#include "state/state.h"

static void
print (json_t *json)
{
  json_dumpf (json, stdout, JSON_COMPACT);
  putchar ('\n');
  json_decref (json);
}

static gboolean
list_chain (const SvConfig *config, GError **error)
{
  SvHead head;
  g_autoptr (SvChain) chain = sv_chain_open (config, error);
  if (chain == NULL || !sv_chain_head (chain, &head, error))
    return FALSE;
  g_autoptr (GPtrArray) all = sv_chain_commitments (chain, 0, head.best.number, NULL, error);
  for (guint i = 0; all != NULL && i < all->len; i++)
  {
    const SvExtrinsic *extrinsic = g_ptr_array_index (all, i);
    print (json_pack ("{s:f,s:s,s:s,s:s,s:b}", "block", (double)extrinsic->block, "hash", extrinsic->hash, "signer",
                      extrinsic->signer, "text", extrinsic->text, "succeeded", extrinsic->succeeded));
  }
  return all != NULL;
}

static gboolean
print_issued (const SvIssueRecord *record, gpointer data)
{
  print (json_pack ("{s:f,s:s,s:s,s:s,s:s,s:f,s:s,s:f}", "challenge_id", (double)record->challenge_id, "asker", record->asker,
                    "miner", record->miner, "element_id", record->element_id, "clip_hash", record->clip_hash, "seed",
                    (double)record->seed, "nonce", record->nonce, "block", (double)record->block));
  return TRUE;
}

static gboolean
list_issued (const SvConfig *config, GError **error)
{
  g_autoptr (SvState) state = sv_state_open (config, error);
  return state != NULL && sv_state_list_issued (state, NULL, 0, print_issued, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvConfig) config = sv_config_load (&error);
  gboolean is_chain = argc == 2 && strcmp (argv[1], "chain") == 0;
  if (config != NULL && (is_chain ? list_chain : list_issued) (config, &error))
    return 0;
  fprintf (stderr, "list_records: %s\n", error->message);
  return 1;
}
