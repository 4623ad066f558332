/* The evaluator: any program, which may do anything.
 *
 *  - metrics with exactly the element's pillars, each from 0 to 1, are taken; the input arrives whole, however long
 *  - other pillars, missing ones, numbers out of range or hostile, no object, not JSON, not UTF-8, nothing: an error
 *  - absent, exit 1, killed by a signal, a command that cannot be read: an error that says so
 *  - hanging, hanging with its output closed, leaving a child behind: ended when its time is over
 *  - too much output: ended
 *  - one that reads nothing may answer all the same
 */
#include "runner/evaluator.h"

#include <signal.h>

#include "../protocol/sample.h"
#include "refusal.h"

static json_t *
evaluate (const char *command, guint timeout_ms, const json_t *input, GError **error)
{
  g_autoptr (SvManifest) manifest = sample_manifest ("2025-10-23", 100, 200, NULL);
  SvEvaluator evaluator = SV_EVALUATOR_DEFAULTS (command);
  evaluator.timeout_ms = timeout_ms;
  evaluator.max_output = 65536;
  return sv_evaluate (&evaluator, input, sv_manifest_find_element (manifest, "PlayerDetect_v1@1.0"), error);
}

static json_t *
evaluate_nothing (const char *command, GError **error)
{
  g_autoptr (json_t) input = json_object ();
  return evaluate (command, 20000, input, error);
}

static json_t *
evaluate_printed (const char *output, GError **error)
{
  g_autofree char *quoted = g_shell_quote (output);
  g_autofree char *command = g_strdup_printf ("sh -c 'cat >/dev/null; printf %%s \"$0\"' %s", quoted);
  return evaluate_nothing (command, error);
}

static void
metrics_of_the_element_are_taken (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) metrics = evaluate_printed ("{\"metrics\": {\"count\": 1, \"iou\": 0.25}, \"note\": \"x\"}", &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (json_number_value (json_object_get (metrics, "iou")), ==, 0.25);
  g_assert_cmpuint (json_object_size (metrics), ==, 2);
}

static void
the_input_arrives_whole (void)
{
  /* wc counts the bytes: {"a":"x…x"} is longer than any pipe holds */
  g_autofree char *filling = g_strnfill (1000000, 'x');
  g_autoptr (json_t) input = json_pack ("{s:s}", "a", filling);
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) metrics = evaluate (
      "sh -c 'test $(wc -c) = 1000008 && echo {\\\"metrics\\\":{\\\"count\\\":1,\\\"iou\\\":1}}'", 20000, input, &error);
  g_assert_no_error (error);
  g_assert_nonnull (metrics);
}

static void
other_output_is_an_error (void)
{
  static const char *const outputs[] = { "",
                                         "garbage",
                                         "[]",
                                         "{}",
                                         "{\"metrics\":[]}",
                                         "{\"metrics\":{}}",
                                         "{\"metrics\":{\"count\":1}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":1,\"more\":1}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":1.01}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":-0.01}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":\"1\"}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":null}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":NaN}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":1e400}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":1,\"iou\":1}}",
                                         "{\"metrics\":{\"count\":1,\"iou\":1}",
                                         "{\"metrics\":{\"count\":1,\"iou\":1},\"\xff\":1}" };
  for (gsize i = 0; i < G_N_ELEMENTS (outputs); i++)
    assert_fails (evaluate_printed (outputs[i], refusal), SV_ERROR_MALFORMED);
}

static void
a_program_that_fails_is_named (void)
{
  assert_fails_saying (evaluate_nothing ("/nonexistent/evaluator --fast", refusal), SV_ERROR_FAILED, "/nonexistent/evaluator");
  assert_fails_saying (evaluate_nothing ("sh -c 'echo {}; exit 1'", refusal), SV_ERROR_FAILED, "status 1");
  assert_fails_saying (evaluate_nothing ("sh -c 'kill -SEGV $$'", refusal), SV_ERROR_FAILED, "signal 11");
  assert_fails_saying (evaluate_nothing ("sh -c 'unbalanced", refusal), SV_ERROR_USAGE, "SCOREVISION_EVALUATOR");
  assert_fails (evaluate_nothing ("  ", refusal), SV_ERROR_USAGE);
}

static void
a_program_that_hangs_is_ended (void)
{
  static const char *const commands[] = { "sleep 600", "sh -c 'cat; sleep 600'", "sh -c 'sleep 600 & wait'",
                                          "sh -c 'trap \"\" TERM INT HUP; sleep 600'" };
  g_autoptr (json_t) input = json_object ();
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    assert_fails_saying (evaluate (commands[i], 100, input, refusal), SV_ERROR_FAILED, "took too long");
}

static void
a_program_that_closes_its_output_and_stays_is_ended (void)
{
  g_autoptr (json_t) input = json_object ();
  assert_fails_saying (evaluate ("sh -c 'exec >&-; exec sleep 600'", 20000, input, refusal), SV_ERROR_FAILED, "signal 9");
}

static void
endless_output_is_ended (void)
{
  assert_fails_saying (evaluate_nothing ("yes", refusal), SV_ERROR_FAILED, "printed too much");
}

static void
one_that_reads_nothing_may_answer (void)
{
  g_autofree char *filling = g_strnfill (1000000, 'x');
  g_autoptr (json_t) input = json_pack ("{s:s}", "a", filling);
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) metrics =
      evaluate ("sh -c 'exec <&-; echo {\\\"metrics\\\":{\\\"count\\\":0,\\\"iou\\\":0}}'", 20000, input, &error);
  g_assert_no_error (error);
  g_assert_nonnull (metrics);
}

#define ADD(name) g_test_add_func ("/evaluator/" #name, name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN); /* as the program does */
  ADD (metrics_of_the_element_are_taken);
  ADD (the_input_arrives_whole);
  ADD (other_output_is_an_error);
  ADD (a_program_that_fails_is_named);
  ADD (a_program_that_hangs_is_ended);
  ADD (a_program_that_closes_its_output_and_stays_is_ended);
  ADD (endless_output_is_ended);
  ADD (one_that_reads_nothing_may_answer);
  return g_test_run ();
}
