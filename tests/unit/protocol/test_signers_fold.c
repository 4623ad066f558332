/* Folding statements on signers. Accounts are single letters here; "a:+b@10-c@5" is a statement by a that adds b from block 10
 * and retires c from block 5. The tables say who may sign the next statement, how many count, and states at blocks:
 *  - the setting alone; an addition, a retirement, each at its block; a later one overrides, whatever its block
 *  - order alone counts for the right to sign statements
 *  - a statement by somebody without that right has no effect, and keeps its place
 *  - revoked: nothing counts, nor what it alone has said; who was added by two stays
 *  - a setting that begins later in the history
 *  - reasons, and until when
 *  - no more are trusted at once than there are places, whatever is said in whichever order; who has left makes room
 * And random histories against a second implementation, written down as the protocol says it.
 */
#include "protocol/signers_fold.h"

#include <string.h>

/* ── making ── */

static void
change_free (gpointer data)
{
  SvSignerChange *change = data;
  g_free (change->account);
  g_free (change);
}

static void
add_change (SvSignersStatement *statement, const char *text)
{
  SvSignerChange *change = g_new0 (SvSignerChange, 1);
  change->account = g_strndup (text + 1, 1);
  g_assert_true (text[2] == '@');
  change->from_block = g_ascii_strtoull (text + 3, NULL, 10);
  g_ptr_array_add (text[0] == '+' ? statement->add : statement->retire, change);
}

static SvSignersStatement *
make_statement (const char *text, guint64 number)
{
  SvSignersStatement *statement = g_new0 (SvSignersStatement, 1);
  statement->document = g_new0 (SvSignedDocument, 1);
  statement->document->signed_by = g_strndup (text, 1);
  statement->number = number;
  statement->add = g_ptr_array_new_with_free_func (change_free);
  statement->retire = g_ptr_array_new_with_free_func (change_free);
  for (const char *at = strpbrk (text, "+-"); at != NULL; at = strpbrk (at + 1, "+-"))
    add_change (statement, at);
  return statement;
}

static GPtrArray *
make_statements (const char *text)
{
  GPtrArray *statements = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_signers_statement_free);
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  for (gsize i = 0; words[i] != NULL && *words[i] != '\0'; i++)
    g_ptr_array_add (statements, make_statement (words[i], i + 1));
  return statements;
}

static char **
letters (const char *text)
{
  char **list = g_new0 (char *, strlen (text) + 1);
  for (gsize i = 0; text[i] != '\0'; i++)
    list[i] = g_strndup (text + i, 1);
  return list;
}

static SvSignerRoots *
make_roots (const char *setting, const char *owner, const char *revoked, const char *locally)
{
  SvSignerRoots *roots = g_new0 (SvSignerRoots, 1);
  roots->accounts = letters (setting);
  roots->owner = *owner != '\0' ? g_strdup (owner) : NULL;
  roots->revoked_by_owner = letters (revoked);
  roots->revoked_by_setting = letters (locally);
  return roots;
}

/* ── tables ── */

typedef struct
{
  const char *title, *setting, *owner, *revoked, *statements;
  guint64 n_effective; /* number of the last one with effect */
  const char *may_sign;
  const char *states; /* "a@5=t": t trusted, c coming, r retired, x revoked, u unknown */
} Case;

static const Case cases[] = {
  { "the setting", "ab", "", "", "", 0, "ab", "a@0=t b@9=t c@9=u" },
  { "the owner", "", "o", "", "", 0, "o", "o@0=t" },
  { "an addition", "a", "", "", "a:+b@10", 1, "ab", "b@9=c b@10=t a@10=t" },
  { "a retirement", "ab", "", "", "a:-b@10", 1, "a", "b@9=t b@10=r" },
  { "both at once", "a", "", "", "a:+b@10-a@20", 1, "b", "a@19=t a@20=r b@9=c b@20=t" },
  { "a handover", "a", "", "", "a:+b@10 b:-a@20 b:+c@30", 3, "bc", "a@20=r b@20=t c@29=c c@30=t" },
  { "added again", "a", "", "", "a:+b@0 a:-b@10 a:+b@20", 3, "ab", "b@9=t b@10=r b@19=r b@20=t" },
  { "a later statement overrides a later block", "a", "", "", "a:+b@0 a:-b@100 a:+b@50", 3, "ab", "b@60=t b@200=t" },
  { "retired before it counted", "a", "", "", "a:+b@100 a:-b@50", 2, "a", "b@49=c b@50=r b@100=r" },
  { "a retired one may not sign, whatever the block", "ab", "", "", "a:-b@1000 b:-a@0", 1, "a", "b@5=t a@5=t" },
  { "an added one may sign, whatever the block", "a", "", "", "a:+b@1000 b:+c@0", 2, "abc", "c@0=t b@0=c" },
  { "one retires himself", "ab", "", "", "a:-a@10 a:+c@0", 1, "b", "a@9=t a@10=r c@9=u" },
  { "a stranger says nothing", "a", "", "", "s:+s@0-a@0", 0, "a", "a@9=t s@9=u" },
  { "a stranger keeps his place", "a", "", "", "s:+s@0 a:+b@0", 2, "ab", "s@9=u b@9=t" },
  { "revoked", "ab", "", "a", "a:+c@0 a:-b@0", 0, "b", "a@9=x b@9=t c@9=u" },
  { "introduced through a revoked one alone", "ab", "", "a", "a:+c@0 c:+d@0 b:+e@0", 3, "be", "c@9=u d@9=u e@9=t" },
  { "introduced twice", "ab", "", "a", "a:+c@0 b:+c@20", 2, "bc", "c@19=c c@20=t" },
  { "added, itself revoked", "a", "", "b", "a:+b@0 b:+c@0", 1, "a", "b@9=x c@9=u" },
  { "a revoked one's retirement", "ab", "", "a", "a:-b@0 b:+c@0", 2, "bc", "b@9=t" },
  { "the owner revoked", "a", "o", "o", "o:-a@0", 0, "a", "o@0=x a@0=t" },
  { "a setting that begins later", "b", "", "", "a:+b@0 b:-a@10 b:+c@0", 3, "bc", "a@5=u a@10=r b@0=t c@5=t" },
  { "retired who was never named", "a", "", "", "a:-z@5", 1, "a", "z@4=u z@5=r" },
};

static SvSignerState
state_of_letter (char letter)
{
  static const char known[] = "utcrx";
  const char *at = strchr (known, letter);
  g_assert_nonnull (at);
  return (SvSignerState)(at - known);
}

static void
check_states (const SvSignersFold *fold, const Case *item)
{
  g_auto (GStrv) words = g_strsplit (item->states, " ", -1);
  for (gsize i = 0; words[i] != NULL; i++)
  {
    char *rest;
    g_autofree char *account = g_strndup (words[i], 1);
    guint64 block = g_ascii_strtoull (words[i] + 2, &rest, 10);
    SvSignerState expected = state_of_letter (rest[1]), found = sv_signers_fold_state (fold, account, block);
    if (found != expected)
      g_error ("%s: %s: expected %s, got %s", item->title, words[i], sv_signer_state_name (expected),
               sv_signer_state_name (found));
  }
}

static void
test_table (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    const Case *item = &cases[i];
    g_autoptr (SvSignerRoots) roots = make_roots (item->setting, item->owner, item->revoked, "");
    g_autoptr (GPtrArray) statements = make_statements (item->statements);
    g_autoptr (SvSignersFold) fold = sv_signers_fold_all (roots, statements);
    if (sv_signers_fold_last_effective (fold) != item->n_effective)
      g_error ("%s: the last with effect is %" G_GUINT64_FORMAT, item->title, sv_signers_fold_last_effective (fold));
    for (const char *letter = "abcdeosz"; *letter != '\0'; letter++)
    {
      g_autofree char *account = g_strndup (letter, 1);
      if (sv_signers_fold_may_sign (fold, account) != (strchr (item->may_sign, *letter) != NULL))
        g_error ("%s: whether %s may sign", item->title, account);
    }
    check_states (fold, item);
  }
}

/* "a:trusted/setting b:retired/2/a/10" at the block. */
static char *
describe (const SvSignersFold *fold, guint64 block)
{
  static const char *const reasons[] = { "nothing", "setting", "owner", "added", "retired", "chain", "local" };
  g_autoptr (GPtrArray) list = sv_signers_fold_list (fold, block);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < list->len; i++)
  {
    const SvSigner *signer = list->pdata[i];
    g_string_append_printf (text, "%s%s:%s/%s", i > 0 ? " " : "", signer->account, sv_signer_state_name (signer->state),
                            reasons[signer->why]);
    if (signer->by != NULL)
      g_string_append_printf (text, "/%" G_GUINT64_FORMAT "/%s/%" G_GUINT64_FORMAT, signer->statement, signer->by,
                              signer->from_block);
    if (signer->has_until)
      g_string_append_printf (text, "<%" G_GUINT64_FORMAT, signer->until);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_reasons (void)
{
  g_autoptr (SvSignerRoots) roots = make_roots ("ab", "o", "xb", "y");
  g_autoptr (GPtrArray) statements = make_statements ("a:+c@10 c:-a@20 c:+d@0-o@5");
  g_autoptr (SvSignersFold) fold = sv_signers_fold_all (roots, statements);
  g_autofree char *early = describe (fold, 4);
  g_assert_cmpstr (early, ==,
                   "a:trusted/setting<20 b:revoked/chain o:trusted/owner<5 c:coming/added/1/a/10 d:trusted/added/3/c/0 "
                   "x:revoked/chain y:revoked/local");
  g_autofree char *late = describe (fold, 20);
  g_assert_cmpstr (late, ==,
                   "a:retired/retired/2/c/20 b:revoked/chain o:retired/retired/3/c/5 c:trusted/added/1/a/10 "
                   "d:trusted/added/3/c/0 x:revoked/chain y:revoked/local");
  g_assert_true (sv_signers_fold_changes_between (fold, 4, 5));
  g_assert_true (sv_signers_fold_changes_between (fold, 19, 20));
  g_assert_false (sv_signers_fold_changes_between (fold, 10, 19));
}

/* ── places ── */

/* Printable letters that mean nothing in the notation. */
static char *
all_letters (void)
{
  GString *text = g_string_new (NULL);
  for (int letter = '!'; letter <= '~'; letter++)
    if (strchr ("+-@:", letter) == NULL)
      g_string_append_c (text, (char)letter);
  return g_string_free (text, FALSE);
}

/* One statement by @signer about each of @accounts. */
static char *
about (char signer, const char *accounts, char sign, guint64 block)
{
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%c:", signer);
  for (; *accounts != '\0'; accounts++)
    g_string_append_printf (text, "%c%c@%" G_GUINT64_FORMAT, sign, *accounts, block);
  return g_string_free (text, FALSE);
}

static guint
count_trusted (const SvSignersFold *fold, guint64 block)
{
  g_autoptr (GPtrArray) list = sv_signers_fold_list (fold, block);
  guint n = 0;
  for (guint i = 0; i < list->len; i++)
    n += ((const SvSigner *)list->pdata[i])->state == SV_SIGNER_TRUSTED;
  return n;
}

static SvSignersFold *
fold_text (const char *revoked, const char *text)
{
  g_autoptr (SvSignerRoots) roots = make_roots ("!~", "", revoked, "");
  g_autoptr (GPtrArray) statements = make_statements (text);
  return sv_signers_fold_all (roots, statements);
}

static void
test_places (void)
{
  g_autofree char *letters_there_are = all_letters ();
  g_autofree char *others = g_strndup (letters_there_are + 1, SV_SIGNERS_MAX_TRUSTED - 2); /* with `!` and `~` all places */
  g_autofree char *full = about ('!', others, '+', 0);
  g_autofree char *more = g_strconcat (full, " !:+z@0", NULL);
  g_autoptr (SvSignersFold) too_many = fold_text ("", more);
  g_assert_cmpuint (count_trusted (too_many, 9), ==, SV_SIGNERS_MAX_TRUSTED);
  g_assert_cmpint (sv_signers_fold_state (too_many, "z", 9), ==, SV_SIGNER_UNKNOWN);
  g_assert_false (sv_signers_fold_may_sign (too_many, "z"));
  g_assert_cmpuint (sv_signers_fold_last_effective (too_many), ==, 2);
  g_autofree char *early = g_strconcat (full, " !:-\"@10 !:+z@9", NULL), *right = g_strconcat (full, " !:-\"@10+z@10", NULL);
  g_autoptr (SvSignersFold) too_early = fold_text ("", early);
  g_assert_cmpint (sv_signers_fold_state (too_early, "z", 10), ==, SV_SIGNER_UNKNOWN);
  g_autoptr (SvSignersFold) in_time = fold_text ("", right);
  g_assert_cmpint (sv_signers_fold_state (in_time, "z", 10), ==, SV_SIGNER_TRUSTED);
  g_assert_cmpuint (count_trusted (in_time, 9), ==, SV_SIGNERS_MAX_TRUSTED);
  g_assert_cmpuint (count_trusted (in_time, 10), ==, SV_SIGNERS_MAX_TRUSTED);
  g_autofree char *operators = g_strconcat (full, " ~:+z@0", NULL);
  g_autoptr (SvSignersFold) thief_revoked = fold_text ("!", operators);
  g_assert_cmpuint (count_trusted (thief_revoked, 9), ==, 2);
  g_assert_cmpint (sv_signers_fold_state (thief_revoked, "z", 9), ==, SV_SIGNER_TRUSTED);
}

static void
test_places_model (void)
{
  g_autofree char *accounts = all_letters ();
  guint most = 0;
  for (guint run = 0; run < 20; run++)
  {
    g_autoptr (GString) text = g_string_new (NULL);
    for (guint i = 0; i < 400; i++)
    {
      char account = accounts[g_test_rand_int_range (1, (gint32)strlen (accounts) - 1)];
      char sign = g_test_rand_int_range (0, 4) == 0 ? '-' : '+';
      g_string_append_printf (text, "%s!:%c%c@%d", i > 0 ? " " : "", sign, account, g_test_rand_int_range (0, 4));
    }
    g_autoptr (SvSignersFold) fold = fold_text ("", text->str);
    for (guint64 block = 0; block < 5; block++)
    {
      most = MAX (most, count_trusted (fold, block));
      g_assert_cmpuint (count_trusted (fold, block), <=, SV_SIGNERS_MAX_TRUSTED);
    }
  }
  g_assert_cmpuint (most, >, SV_SIGNERS_MAX_TRUSTED / 2);
}

/* ── against a second implementation ── */

#define N_LETTERS 5
#define N_STATEMENTS 7

typedef struct
{
  SvSignerRoots *roots;
  GPtrArray *statements;
} Model;

static gboolean model_has_effect (const Model *model, guint k);

static gboolean
model_is_revoked (const Model *model, const char *account)
{
  return g_strv_contains ((const char *const *)model->roots->revoked_by_owner, account) ||
         g_strv_contains ((const char *const *)model->roots->revoked_by_setting, account);
}

/* What statement @k says of the account: 1 an addition, -1 a retirement, 0 nothing. */
static int
model_says (const Model *model, guint k, const char *account, guint64 upto)
{
  const SvSignersStatement *statement = model->statements->pdata[k];
  for (guint i = 0; i < statement->add->len; i++)
  {
    const SvSignerChange *change = statement->add->pdata[i];
    if (strcmp (change->account, account) == 0 && change->from_block <= upto)
      return 1;
  }
  for (guint i = 0; i < statement->retire->len; i++)
  {
    const SvSignerChange *change = statement->retire->pdata[i];
    if (strcmp (change->account, account) == 0 && change->from_block <= upto)
      return -1;
  }
  return 0;
}

/* The latest word of the first @k statements that have effect. */
static int
model_word (const Model *model, guint k, const char *account, guint64 upto)
{
  for (; k > 0; k--)
    if (model_says (model, k - 1, account, upto) != 0 && model_has_effect (model, k - 1))
      return model_says (model, k - 1, account, upto);
  return 0;
}

static gboolean
model_is_root (const Model *model, const char *account)
{
  return g_strv_contains ((const char *const *)model->roots->accounts, account) ||
         g_strcmp0 (model->roots->owner, account) == 0;
}

static gboolean
model_may_sign (const Model *model, guint k, const char *account)
{
  int word = model_word (model, k, account, G_MAXUINT64);
  return !model_is_revoked (model, account) && (word > 0 || (word == 0 && model_is_root (model, account)));
}

static gboolean
model_has_effect (const Model *model, guint k)
{
  return model_may_sign (model, k, ((const SvSignersStatement *)model->statements->pdata[k])->document->signed_by);
}

static SvSignerState
model_state (const Model *model, const char *account, guint64 block)
{
  guint n = model->statements->len;
  int word = model_word (model, n, account, block);
  if (model_is_revoked (model, account))
    return SV_SIGNER_REVOKED;
  if (word > 0 || (word == 0 && model_is_root (model, account)))
    return SV_SIGNER_TRUSTED;
  if (word < 0)
    return SV_SIGNER_RETIRED;
  for (guint k = 0; k < n; k++)
    if (model_says (model, k, account, G_MAXUINT64) > 0 && model_has_effect (model, k))
      return SV_SIGNER_COMING;
  return SV_SIGNER_UNKNOWN;
}

/* The first later block at which a trusted account is not trusted any more, 0 for none: changes lie below 5. */
static guint64
model_until (const Model *model, const char *account, guint64 block)
{
  for (guint64 later = block + 1; later < 5; later++)
    if (model_state (model, account, later) != SV_SIGNER_TRUSTED)
      return later;
  return 0;
}

static void
compare_list (const SvSignersFold *fold, const Model *model, guint64 block)
{
  g_autoptr (GPtrArray) list = sv_signers_fold_list (fold, block);
  for (guint i = 0; i < list->len; i++)
  {
    const SvSigner *signer = list->pdata[i];
    g_assert_cmpint (signer->state, ==, model_state (model, signer->account, block));
    if (signer->state == SV_SIGNER_TRUSTED)
      g_assert_cmpuint (signer->until, ==, model_until (model, signer->account, block));
    if (signer->state == SV_SIGNER_COMING)
      g_assert_cmpuint (signer->from_block, >, block);
  }
}

static char *
random_letters (guint one_in)
{
  GString *text = g_string_new (NULL);
  for (char letter = 'a'; letter < 'a' + N_LETTERS; letter++)
    if (g_test_rand_int_range (0, (gint32)one_in) == 0)
      g_string_append_c (text, letter);
  return g_string_free (text, FALSE);
}

static char *
random_statements (void)
{
  GString *text = g_string_new (NULL);
  guint n = (guint)g_test_rand_int_range (0, N_STATEMENTS + 1);
  for (guint k = 0; k < n; k++)
  {
    g_string_append_printf (text, "%s%c:", k > 0 ? " " : "", 'a' + g_test_rand_int_range (0, N_LETTERS));
    int first = g_test_rand_int_range (0, N_LETTERS);
    guint n_changes = (guint)g_test_rand_int_range (1, 3);
    for (guint i = 0; i < n_changes; i++)
      g_string_append_printf (text, "%c%c@%d", g_test_rand_bit () ? '+' : '-', 'a' + (first + (int)i) % N_LETTERS,
                              g_test_rand_int_range (0, 4));
  }
  return g_string_free (text, FALSE);
}

static void
compare_once (void)
{
  g_autofree char *setting = random_letters (2), *revoked = random_letters (6), *locally = random_letters (10);
  g_autofree char *text = random_statements ();
  g_autoptr (SvSignerRoots) roots = make_roots (setting, g_test_rand_bit () ? "a" : "", revoked, locally);
  g_autoptr (GPtrArray) statements = make_statements (text);
  g_autoptr (SvSignersFold) fold = sv_signers_fold_all (roots, statements);
  const Model model = { roots, statements };
  guint64 last = 0;
  for (guint k = 0; k < statements->len; k++)
    if (model_has_effect (&model, k))
      last = k + 1;
  g_assert_cmpuint (sv_signers_fold_last_effective (fold), ==, last);
  for (guint64 block = 0; block < 5; block++)
    compare_list (fold, &model, block);
  for (char letter = 'a'; letter < 'a' + N_LETTERS; letter++)
  {
    const char account[] = { letter, '\0' };
    g_assert_cmpint (sv_signers_fold_may_sign (fold, account), ==, model_may_sign (&model, statements->len, account));
    for (guint64 block = 0; block < 5; block++)
      if (sv_signers_fold_state (fold, account, block) != model_state (&model, account, block))
        g_error ("setting %s, revoked %s and %s, statements %s: %s at block %" G_GUINT64_FORMAT, setting, revoked, locally,
                 text, account, block);
  }
}

static void
test_model (void)
{
  for (guint i = 0; i < 20000; i++)
    compare_once ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signers_fold/folds as the table says", test_table);
  g_test_add_func ("/signers_fold/says why and until when", test_reasons);
  g_test_add_func ("/signers_fold/has no more places than it says", test_places);
  g_test_add_func ("/signers_fold/gives no more places in whatever order", test_places_model);
  g_test_add_func ("/signers_fold/agrees with a second implementation", test_model);
  return g_test_run ();
}
