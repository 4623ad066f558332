/* Property: over thousands of random histories, folding agrees with a slow, obvious model. In the model elements are numbers,
 * the state is an array, and each text is tried on a copy that is thrown away when a rule is broken. Compared are the bindings,
 * the withdrawals, the total, the verdict on each text, and what preview says of it beforehand. The seed is fixed; a history
 * that differs is printed. */
#include "protocol/commitment.h"

#include <string.h>

#define WINDOW "2025-10-23"
#define START G_GUINT64_CONSTANT (20000)
#define EXPIRY G_GUINT64_CONSTANT (27200)
#define EARLIEST (START - SV_COMMIT_EARLIEST)
#define CHUTE "87f7d0c5-0000-4000-8000-000000000001"
#define COMMIT(total) "sv1 commit " WINDOW " " total

enum
{
  N_ELEMENTS = 5,
  MAX_LINES = 4,
  MAX_STEPS = 14,
  N_HISTORIES = 3000,
};

typedef struct
{
  guint64 block;
  enum
  {
    STEP_COMMIT,
    STEP_WITHDRAW,
    STEP_OTHER_WINDOW,
    STEP_FOREIGN,
    STEP_BROKEN,
  } kind;
  guint n_lines;
  int element[MAX_LINES];
  guint cap[MAX_LINES];
  guint total;
  char *text;
  char *proof;
} Step;

typedef struct
{
  int bound_by[N_ELEMENTS];     /* step, or -1 */
  guint cap[N_ELEMENTS];        /* frames per second */
  int withdrawn_by[N_ELEMENTS]; /* step, or -1 */
  guint total;
  gboolean valid[MAX_STEPS];
} Model;

static guint64
random_block (GRand *random, guint64 last)
{
  const guint64 places[] = { EARLIEST - 2, EARLIEST, START - 2, START, EXPIRY - 2, EXPIRY, EXPIRY + 2 };
  guint64 block = last;

  if (g_rand_int_range (random, 0, 3) == 0)
    block = places[g_rand_int_range (random, 0, G_N_ELEMENTS (places))];
  else
    block += (guint64)g_rand_int_range (random, 0, 3);
  return MAX (block, last);
}

static char *
write_step (const Step *step)
{
  if (step->kind == STEP_FOREIGN)
    return g_strdup ("sv1 revoke");
  if (step->kind == STEP_BROKEN)
    return g_strdup (COMMIT ("45") "\nE0 rev");

  GString *text = g_string_new (NULL);
  const char *window = step->kind == STEP_OTHER_WINDOW ? "2025-10-24" : WINDOW;
  if (step->kind == STEP_WITHDRAW)
    g_string_printf (text, "sv1 withdraw %s", window);
  else
    g_string_printf (text, "sv1 commit %s %u", window, step->total);
  for (guint i = 0; i < step->n_lines; i++)
  {
    g_string_append_printf (text, "\nE%d", step->element[i]);
    if (step->kind != STEP_WITHDRAW)
      g_string_append_printf (text, " rev slug " CHUTE " %u", step->cap[i]);
  }
  return g_string_free (text, FALSE);
}

static void
random_step (GRand *random, Step *step, guint64 block, guint place)
{
  static const int kinds[] = { STEP_COMMIT,   STEP_COMMIT,   STEP_COMMIT,       STEP_COMMIT,  STEP_COMMIT, STEP_COMMIT,
                               STEP_WITHDRAW, STEP_WITHDRAW, STEP_OTHER_WINDOW, STEP_FOREIGN, STEP_BROKEN };

  *step = (Step){ .block = block, .kind = kinds[g_rand_int_range (random, 0, G_N_ELEMENTS (kinds))] };
  step->n_lines = (guint)g_rand_int_range (random, 1, step->kind == STEP_WITHDRAW ? 3 : MAX_LINES + 1);
  step->total = (guint)g_rand_int_range (random, 5, 40);
  const int first = g_rand_int_range (random, 0, N_ELEMENTS);
  for (guint i = 0; i < step->n_lines; i++)
  {
    /* distinct but for one time in sixteen */
    step->element[i] = (first + (int)i) % N_ELEMENTS;
    if (g_rand_int_range (random, 0, 16) == 0)
      step->element[i] = g_rand_int_range (random, 0, N_ELEMENTS);
    step->cap[i] = (guint)g_rand_int_range (random, 1, 10);
  }
  step->text = write_step (step);
  step->proof = g_strdup_printf ("%" G_GUINT64_FORMAT ":%u", block, place);
}

static gboolean
model_names_twice (const Step *step)
{
  for (guint i = 0; i < step->n_lines; i++)
    for (guint j = 0; j < i; j++)
      if (step->element[i] == step->element[j])
        return TRUE;
  return FALSE;
}

/* Tries the step on a copy of the state; FALSE when it may not stand. */
static gboolean
model_try (Model *model, const Step *step, int place)
{
  gboolean started = step->block >= START;

  if (step->kind == STEP_BROKEN || model_names_twice (step))
    return FALSE;
  if (step->block + 14400 < START || step->block >= EXPIRY)
    return FALSE;
  for (guint i = 0; i < step->n_lines; i++)
  {
    int e = step->element[i];
    if (step->kind == STEP_WITHDRAW && (started || model->bound_by[e] < 0))
      return FALSE;
    if (step->kind == STEP_COMMIT && started && model->bound_by[e] >= 0)
      return FALSE;
    model->bound_by[e] = step->kind == STEP_COMMIT ? place : -1;
    model->withdrawn_by[e] = step->kind == STEP_COMMIT ? -1 : place;
    model->cap[e] = step->kind == STEP_COMMIT ? step->cap[i] : 0;
  }
  if (step->kind == STEP_WITHDRAW)
    return TRUE;
  guint sum = 0;
  for (int e = 0; e < N_ELEMENTS; e++)
    sum += model->cap[e];
  model->total = step->total;
  return sum <= step->total;
}

static void
model_run (Model *model, const Step *steps, guint n)
{
  memset (model, 0, sizeof *model);
  for (int e = 0; e < N_ELEMENTS; e++)
    model->bound_by[e] = model->withdrawn_by[e] = -1;
  for (guint i = 0; i < n; i++)
  {
    Model copy = *model;
    if (steps[i].kind == STEP_OTHER_WINDOW || steps[i].kind == STEP_FOREIGN)
      continue;
    if (!model_try (&copy, &steps[i], (int)i))
      continue;
    *model = copy;
    model->valid[i] = TRUE;
  }
}

static gboolean
same_element (const SvFold *fold, const Model *model, const Step *steps, int e)
{
  g_autofree char *id = g_strdup_printf ("E%d", e);
  const SvBoundElement *element = g_hash_table_lookup (fold->bound, id);
  const char *withdrawal = g_hash_table_lookup (fold->withdrawn, id);
  const char *proof = model->bound_by[e] < 0 ? NULL : steps[model->bound_by[e]].proof;
  const char *expected_withdrawal = model->withdrawn_by[e] < 0 ? NULL : steps[model->withdrawn_by[e]].proof;

  if (g_strcmp0 (withdrawal, expected_withdrawal) != 0 || g_strcmp0 (element != NULL ? element->proof : NULL, proof) != 0)
    return FALSE;
  return element == NULL ||
         (element->binding.cap_milli == model->cap[e] * 1000 && element->committed_at_block == steps[model->bound_by[e]].block);
}

/* The verdicts in order against the model's, and what preview says of each step against the fold of those before it. */
static gboolean
same_verdicts (const SvFold *fold, const Model *model, const Step *steps, const SvChainText *texts, guint n)
{
  guint place = 0;

  for (guint i = 0; i < n; i++)
  {
    if (steps[i].kind == STEP_OTHER_WINDOW || steps[i].kind == STEP_FOREIGN)
      continue;
    const SvTextVerdict *verdict = place < fold->verdicts->len ? g_ptr_array_index (fold->verdicts, place++) : NULL;
    g_autoptr (SvFold) before = sv_fold (WINDOW, START, EXPIRY, texts, i, G_MAXUINT64);
    g_autofree char *preview = sv_fold_preview (before, START, EXPIRY, steps[i].text, steps[i].block);
    if (verdict == NULL || strcmp (verdict->proof, steps[i].proof) != 0 || (verdict->void_reason == NULL) != model->valid[i] ||
        g_strcmp0 (preview, verdict->void_reason) != 0)
      return FALSE;
  }
  return place == fold->verdicts->len;
}

static void
print_history (const Step *steps, guint n, guint64 at_block)
{
  for (guint i = 0; i < n; i++)
    g_printerr ("--- block %" G_GUINT64_FORMAT " (%s)\n%s\n", steps[i].block, steps[i].proof, steps[i].text);
  g_printerr ("--- folded at block %" G_GUINT64_FORMAT "\n", at_block);
}

static void
check_history (const Step *steps, guint n, guint64 at_block)
{
  SvChainText texts[MAX_STEPS] = { 0 };
  guint n_seen = 0;
  Model model;

  for (guint i = 0; i < n; i++)
    texts[i] = (SvChainText){ .block = steps[i].block, .index = i, .text = steps[i].text, .proof = steps[i].proof };
  while (n_seen < n && steps[n_seen].block <= at_block)
    n_seen++;
  model_run (&model, steps, n_seen);

  g_autoptr (SvFold) fold = sv_fold (WINDOW, START, EXPIRY, texts, n, at_block);
  gboolean same = fold->total_cap_milli == model.total * 1000 && same_verdicts (fold, &model, steps, texts, n_seen);
  for (int e = 0; e < N_ELEMENTS; e++)
    same = same && same_element (fold, &model, steps, e);
  if (same)
    return;
  print_history (steps, n, at_block);
  g_error ("the fold differs from the model for the history above");
}

static void
test_folding_agrees_with_the_model (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20251023);
  guint n_valid = 0, n_void = 0;

  for (guint history = 0; history < N_HISTORIES; history++)
  {
    Step steps[MAX_STEPS] = { 0 };
    guint n = (guint)g_rand_int_range (random, 1, MAX_STEPS + 1);
    guint64 block = g_rand_boolean (random) ? EARLIEST - 1 : START - 6;
    for (guint i = 0; i < n; i++)
      random_step (random, &steps[i], block = random_block (random, block), i);

    guint64 at_block = steps[g_rand_int_range (random, 0, (int)n)].block;
    check_history (steps, n, at_block);
    check_history (steps, n, G_MAXUINT64);

    Model model;
    model_run (&model, steps, n);
    for (guint i = 0; i < n; i++)
    {
      n_valid += model.valid[i];
      n_void += !model.valid[i];
      g_free (steps[i].text);
      g_free (steps[i].proof);
    }
  }
  /* Histories in which nothing, or everything, takes effect would prove little. */
  g_assert_cmpuint (n_valid, >, N_HISTORIES);
  g_assert_cmpuint (n_void, >, N_HISTORIES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fold model/folding agrees with the model", test_folding_agrees_with_the_model);
  return g_test_run ();
}
