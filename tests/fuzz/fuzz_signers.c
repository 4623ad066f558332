/* Statements on signers from outside. What parses is signed here, since no mutated document has a valid signature; one that
 * opens is folded after itself, is asked about at the edges of what it says, and must not have effect where its signer has no
 * right. */
#include "protocol/signers_fold.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static const SvChainId chain = { .genesis = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
                                 .netuid = 44 };

static void
fold (const SvSignersStatement *statement, char **accounts, char **revoked)
{
  char *nobody[] = { NULL };
  SvSignerRoots roots = { .accounts = accounts, .revoked_by_owner = revoked, .revoked_by_setting = nobody };
  g_autoptr (SvSignersFold) state = sv_signers_fold_new (&roots);
  gboolean is_right = sv_signers_fold_may_sign (state, statement->document->signed_by);
  g_assert_true (sv_signers_fold_add (state, statement) == is_right);
  g_assert_true (sv_signers_fold_last_effective (state) == (is_right ? statement->number : 0));
  for (guint i = 0; i < statement->add->len; i++)
  {
    const SvSignerChange *change = statement->add->pdata[i];
    SvSignerState found = sv_signers_fold_state (state, change->account, change->from_block);
    g_assert_true (!is_right || found == SV_SIGNER_TRUSTED || found == SV_SIGNER_REVOKED);
    g_autoptr (GPtrArray) list = sv_signers_fold_list (state, change->from_block);
    g_assert_nonnull (list);
  }
  for (guint i = 0; i < statement->retire->len; i++)
  {
    const SvSignerChange *change = statement->retire->pdata[i];
    SvSignerState found = sv_signers_fold_state (state, change->account, change->from_block);
    g_assert_true (!is_right || found == SV_SIGNER_RETIRED || found == SV_SIGNER_REVOKED);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const guint8 seed[32] = { 1 };
  g_autoptr (json_t) json = sv_json_parse ("fuzz", data, size, SV_SIGNERS_MAX_SIZE, NULL);
  if (json == NULL)
    return 0;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_signers_statement_check (json, faults);
  if (!json_is_object (json))
    return 0;
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "signers", &chain, keypair, 0, NULL);
  g_autoptr (SvSignersStatement) statement =
      document != NULL ? sv_signers_statement_open (document->bytes, &chain, NULL) : NULL;
  if (statement == NULL)
    return 0;
  g_assert_true (sv_signers_statement_follows (statement, NULL, NULL) == (statement->number == 1));
  g_assert_false (sv_signers_statement_follows (statement, statement, NULL));
  char *signer[] = { statement->document->signed_by, NULL };
  char *nobody[] = { NULL };
  fold (statement, signer, nobody);
  fold (statement, signer, signer);
  fold (statement, nobody, nobody);
  return 0;
}
