/* Which entry of an index rules at a block (docs/protocol.md section 4).
 *
 * Cases:
 *  - in force: max(start_block, active_from) <= b < min(expiry_block, superseded_at_block), at each of its edges
 *  - active: the latest added of those in force, during an overlap and after; none between windows
 *  - upcoming: after the active one, where none is active, published but not final yet, not what is expired; all of them
 *  - state of an entry, for each state
 *  - judgement of a hash: serves, over, unknown; a hash with several entries
 *  - a window is over when none of its entries is unexpired
 *  - following begins 14,400 blocks before the earliest unexpired window */
#include "sample.h"

#include "protocol/window.h"

typedef struct
{
  const char *hash;
  const char *window_id;
  guint64 start_block;
  guint64 expiry_block;
  guint64 active_from;
  guint64 added_sequence;
  guint64 superseded_at_block; /* 0: live */
} Row;

/* Rows in the order of expiry. */
static SvIndex *
make_index (const Row *rows, gsize n)
{
  const SvChainId chain = sample_chain ();
  SvIndex *index = sv_index_new (&chain);
  for (gsize i = 0; i < n; i++)
  {
    SvIndexEntry *entry = g_new0 (SvIndexEntry, 1);
    entry->hash = g_strdup (rows[i].hash);
    entry->window_id = g_strdup (rows[i].window_id);
    entry->start_block = rows[i].start_block;
    entry->expiry_block = rows[i].expiry_block;
    entry->active_from = rows[i].active_from;
    entry->added_sequence = rows[i].added_sequence;
    entry->is_superseded = rows[i].superseded_at_block != 0;
    entry->superseded_at_block = rows[i].superseded_at_block;
    g_ptr_array_add (entry->is_superseded ? index->superseded : index->entries, entry);
  }
  return index;
}

/* Window w1 [100, 200) was published as A, superseded by B at block 140 with an overlap of 10; w2 [200, 300) is announced. */
static SvIndex *
overlapping_index (void)
{
  static const Row rows[] = {
    { "A", "w1", 100, 200, 90, 1, 150 },
    { "B", "w1", 100, 200, 140, 3, 0 },
    { "C", "w2", 200, 300, 95, 2, 0 },
  };
  return make_index (rows, G_N_ELEMENTS (rows));
}

static const char *
hash_of (const SvIndexEntry *entry)
{
  return entry != NULL ? entry->hash : NULL;
}

static void
entry_is_in_force_between_its_edges (void)
{
  static const struct
  {
    guint64 start, active_from, expiry, superseded_at;
    guint64 first, after; /* in force from the one to just before the other */
  } cases[] = {
    { 100, 50, 200, 0, 100, 200 },
    { 100, 120, 200, 0, 120, 200 },
    { 100, 50, 200, 150, 100, 150 },
    { 100, 50, 200, 250, 100, 200 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    const SvIndexEntry entry = { .start_block = cases[i].start,
                                 .active_from = cases[i].active_from,
                                 .expiry_block = cases[i].expiry,
                                 .is_superseded = cases[i].superseded_at != 0,
                                 .superseded_at_block = cases[i].superseded_at };
    g_assert_false (sv_entry_in_force (&entry, cases[i].first - 1));
    g_assert_true (sv_entry_in_force (&entry, cases[i].first));
    g_assert_true (sv_entry_in_force (&entry, cases[i].after - 1));
    g_assert_false (sv_entry_in_force (&entry, cases[i].after));
    g_assert_false (sv_entry_expired (&entry, cases[i].expiry - 1));
    g_assert_true (sv_entry_expired (&entry, cases[i].expiry));
  }
}

static void
active_is_the_latest_added_in_force (void)
{
  static const struct
  {
    guint64 block;
    const char *active;
  } cases[] = {
    { 99, NULL }, { 100, "A" }, { 139, "A" }, { 140, "B" },  { 149, "B" },
    { 199, "B" }, { 200, "C" }, { 299, "C" }, { 300, NULL },
  };
  g_autoptr (SvIndex) index = overlapping_index ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (hash_of (sv_window_active (index, cases[i].block)), ==, cases[i].active);
}

static void
empty_index_has_no_window (void)
{
  guint64 from;
  const SvIndexEntry *entry;
  g_autoptr (SvIndex) index = make_index (NULL, 0);
  g_autoptr (GPtrArray) upcoming = sv_window_all_upcoming (index, 1);
  g_assert_null (sv_window_active (index, 1));
  g_assert_null (sv_window_upcoming (index, 1));
  g_assert_cmpuint (upcoming->len, ==, 0);
  g_assert_cmpint (sv_window_judge (index, "A", 1, &entry), ==, SV_WINDOW_UNKNOWN);
  g_assert_null (entry);
  g_assert_false (sv_window_is_over (index, "w1", 1));
  g_assert_false (sv_window_follow_from (index, 1, &from));
}

static void
upcoming_is_the_next_by_expiry (void)
{
  static const Row rows[] = {
    { "A", "w1", 100, 200, 90, 1, 0 },
    { "B", "w2", 250, 300, 90, 2, 0 },
    { "C", "w3", 300, 400, 90, 3, 0 },
  };
  static const struct
  {
    guint64 block;
    const char *upcoming;
    guint n_all;
  } cases[] = {
    { 50, "A", 3 }, { 99, "A", 3 }, { 100, "B", 2 }, { 220, "B", 2 }, { 250, "C", 1 }, { 300, NULL, 0 }, { 500, NULL, 0 },
  };
  g_autoptr (SvIndex) index = make_index (rows, G_N_ELEMENTS (rows));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GPtrArray) all = sv_window_all_upcoming (index, cases[i].block);
    g_assert_cmpstr (hash_of (sv_window_upcoming (index, cases[i].block)), ==, cases[i].upcoming);
    g_assert_cmpuint (all->len, ==, cases[i].n_all);
    if (all->len > 0)
      g_assert_cmpstr (hash_of (g_ptr_array_index (all, 0)), ==, cases[i].upcoming);
  }
}

static void
published_but_not_final_is_upcoming (void)
{
  static const Row rows[] = { { "A", "w1", 100, 200, 150, 1, 0 } };
  g_autoptr (SvIndex) index = make_index (rows, 1);
  g_assert_cmpstr (hash_of (sv_window_upcoming (index, 149)), ==, "A");
  g_assert_null (sv_window_active (index, 149));
  g_assert_null (sv_window_upcoming (index, 150));
  g_assert_cmpstr (hash_of (sv_window_active (index, 150)), ==, "A");

  static const Row too_late[] = { { "A", "w1", 100, 200, 250, 1, 0 } }; /* final only after its expiry */
  g_autoptr (SvIndex) late = make_index (too_late, 1);
  g_assert_cmpstr (hash_of (sv_window_upcoming (late, 199)), ==, "A");
  g_assert_null (sv_window_upcoming (late, 200));
}

static void
each_entry_has_a_state (void)
{
  static const Row rows[] = {
    { "A", "w1", 100, 200, 90, 1, 150 },
    { "B", "w1", 100, 200, 140, 3, 0 },
    { "C", "w2", 200, 300, 95, 2, 115 },
    { "D", "w2", 200, 300, 105, 4, 0 },
  };
  static const struct
  {
    guint64 block;
    SvWindowState a, b, c, d;
  } cases[] = {
    { 99, SV_WINDOW_UPCOMING, SV_WINDOW_UPCOMING, SV_WINDOW_SUPERSEDED, SV_WINDOW_UPCOMING },
    { 100, SV_WINDOW_ACTIVE, SV_WINDOW_UPCOMING, SV_WINDOW_SUPERSEDED, SV_WINDOW_UPCOMING },
    { 140, SV_WINDOW_IN_FORCE, SV_WINDOW_ACTIVE, SV_WINDOW_SUPERSEDED, SV_WINDOW_UPCOMING },
    { 150, SV_WINDOW_SUPERSEDED, SV_WINDOW_ACTIVE, SV_WINDOW_SUPERSEDED, SV_WINDOW_UPCOMING },
    { 200, SV_WINDOW_EXPIRED, SV_WINDOW_EXPIRED, SV_WINDOW_SUPERSEDED, SV_WINDOW_ACTIVE },
    { 300, SV_WINDOW_EXPIRED, SV_WINDOW_EXPIRED, SV_WINDOW_EXPIRED, SV_WINDOW_EXPIRED },
  };
  g_autoptr (SvIndex) index = make_index (rows, G_N_ELEMENTS (rows));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    const guint64 block = cases[i].block;
    g_assert_cmpint (sv_window_state (index, sv_index_find_hash (index, "A"), block), ==, cases[i].a);
    g_assert_cmpint (sv_window_state (index, sv_index_find_hash (index, "B"), block), ==, cases[i].b);
    g_assert_cmpint (sv_window_state (index, sv_index_find_hash (index, "C"), block), ==, cases[i].c);
    g_assert_cmpint (sv_window_state (index, sv_index_find_hash (index, "D"), block), ==, cases[i].d);
  }
}

static void
states_have_names (void)
{
  g_assert_cmpstr (sv_window_state_name (SV_WINDOW_UPCOMING), ==, "UPCOMING");
  g_assert_cmpstr (sv_window_state_name (SV_WINDOW_ACTIVE), ==, "ACTIVE");
  g_assert_cmpstr (sv_window_state_name (SV_WINDOW_IN_FORCE), ==, "IN_FORCE");
  g_assert_cmpstr (sv_window_state_name (SV_WINDOW_SUPERSEDED), ==, "SUPERSEDED");
  g_assert_cmpstr (sv_window_state_name (SV_WINDOW_EXPIRED), ==, "EXPIRED");
}

static void
hash_is_judged_by_its_entries (void)
{
  static const struct
  {
    const char *hash;
    guint64 block;
    SvWindowVerdict verdict;
  } cases[] = {
    { "A", 99, SV_WINDOW_UNKNOWN },                                  /* not yet in force */
    { "A", 100, SV_WINDOW_SERVES },  { "A", 149, SV_WINDOW_SERVES }, /* overlap */
    { "A", 150, SV_WINDOW_UNKNOWN },                                 /* superseded, and the overlap is over */
    { "A", 200, SV_WINDOW_OVER },    { "B", 139, SV_WINDOW_UNKNOWN }, { "B", 140, SV_WINDOW_SERVES },
    { "B", 199, SV_WINDOW_SERVES },  { "B", 200, SV_WINDOW_OVER },    { "C", 150, SV_WINDOW_UNKNOWN },
    { "X", 150, SV_WINDOW_UNKNOWN },
  };
  g_autoptr (SvIndex) index = overlapping_index ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    const SvIndexEntry *entry = NULL;
    g_assert_cmpint (sv_window_judge (index, cases[i].hash, cases[i].block, &entry), ==, cases[i].verdict);
    g_assert_cmpstr (hash_of (entry), ==, cases[i].verdict == SV_WINDOW_UNKNOWN ? NULL : cases[i].hash);
  }
}

static void
rolled_back_hash_serves_through_any_of_its_entries (void)
{
  static const Row rows[] = {
    { "A", "w1", 100, 200, 90, 1, 130 },
    { "B", "w1", 100, 200, 120, 2, 160 },
    { "A", "w1", 100, 200, 150, 3, 0 },
  };
  static const struct
  {
    guint64 block;
    SvWindowVerdict verdict;
    guint64 sequence; /* of the entry that answers */
  } cases[] = {
    { 125, SV_WINDOW_SERVES, 1 }, { 130, SV_WINDOW_UNKNOWN, 0 }, { 149, SV_WINDOW_UNKNOWN, 0 },
    { 150, SV_WINDOW_SERVES, 3 }, { 199, SV_WINDOW_SERVES, 3 },  { 200, SV_WINDOW_OVER, 3 },
  };
  g_autoptr (SvIndex) index = make_index (rows, G_N_ELEMENTS (rows));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    const SvIndexEntry *entry = NULL;
    g_assert_cmpint (sv_window_judge (index, "A", cases[i].block, &entry), ==, cases[i].verdict);
    g_assert_cmpuint (entry != NULL ? entry->added_sequence : 0, ==, cases[i].sequence);
  }
  g_assert_cmpuint (sv_window_active (index, 150)->added_sequence, ==, 3);
}

static void
window_is_over_when_no_entry_is_left (void)
{
  g_autoptr (SvIndex) index = overlapping_index ();
  g_assert_false (sv_window_is_over (index, "w1", 50));
  g_assert_false (sv_window_is_over (index, "w1", 199));
  g_assert_true (sv_window_is_over (index, "w1", 200));
  g_assert_false (sv_window_is_over (index, "w2", 200));
  g_assert_true (sv_window_is_over (index, "w2", 300));
  g_assert_false (sv_window_is_over (index, "w9", 300)); /* not known */
}

static void
following_begins_before_the_earliest_unexpired_window (void)
{
  static const Row rows[] = {
    { "A", "w1", 20000, 30000, 0, 1, 0 },
    { "B", "w2", 30000, 40000, 0, 2, 0 },
  };
  guint64 from = 1;
  g_autoptr (SvIndex) index = make_index (rows, G_N_ELEMENTS (rows));
  g_assert_true (sv_window_follow_from (index, 29999, &from));
  g_assert_cmpuint (from, ==, 5600);
  g_assert_true (sv_window_follow_from (index, 30000, &from));
  g_assert_cmpuint (from, ==, 15600);
  g_assert_false (sv_window_follow_from (index, 40000, &from));

  g_autoptr (SvIndex) early = overlapping_index ();
  g_assert_true (sv_window_follow_from (early, 0, &from));
  g_assert_cmpuint (from, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/window/entry-is-in-force-between-its-edges", entry_is_in_force_between_its_edges);
  g_test_add_func ("/window/active-is-the-latest-added-in-force", active_is_the_latest_added_in_force);
  g_test_add_func ("/window/empty-index-has-no-window", empty_index_has_no_window);
  g_test_add_func ("/window/upcoming-is-the-next-by-expiry", upcoming_is_the_next_by_expiry);
  g_test_add_func ("/window/published-but-not-final-is-upcoming", published_but_not_final_is_upcoming);
  g_test_add_func ("/window/each-entry-has-a-state", each_entry_has_a_state);
  g_test_add_func ("/window/states-have-names", states_have_names);
  g_test_add_func ("/window/hash-is-judged-by-its-entries", hash_is_judged_by_its_entries);
  g_test_add_func ("/window/rolled-back-hash-serves-through-any-of-its-entries",
                   rolled_back_hash_serves_through_any_of_its_entries);
  g_test_add_func ("/window/window-is-over-when-no-entry-is-left", window_is_over_when_no_entry_is_left);
  g_test_add_func ("/window/following-begins-before-the-earliest-unexpired-window",
                   following_begins_before_the_earliest_unexpired_window);
  return g_test_run ();
}
