/* What is a clip and what is not. The files are made by ffmpeg.
 *
 * A clip:
 *  1. mp4, mov, matroska and webm, by H.264, VP9 and MPEG-4, with and without sound, with odd frame rates: the facts are right
 *  2. a name without an ending, or with one that means nothing
 * Not a clip, each with its reason:
 *  3. nothing there; empty; a folder; more than 2 GiB
 *  4. text, an image, sound alone, a container of another kind
 *  5. a playlist (HLS, ffconcat), whatever its name; what it names is not opened
 *  6. a file cut short: in its header, in its middle, near its end, with the index in front or behind
 *  7. a name that ends in another type
 *  8. a header that is right with noise for content
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "operator/clip_probe.h"
#include "refusal.h"
#include "scratch.h"

static char *folder;

static char *
path_of (const char *name)
{
  return scratch_path (folder, name);
}

/* Makes @name in the folder by ffmpeg with @arguments, separated by spaces. */
static void
make (const char *name, const char *arguments)
{
  g_autofree char *path = path_of (name);
  g_autofree char *line = g_strdup_printf ("ffmpeg -nostdin -v error -y %s", arguments);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_strv_builder_addv (builder, (const char **)words);
  g_strv_builder_add (builder, path);
  g_auto (GStrv) argv = g_strv_builder_end (builder);
  g_autoptr (GError) error = NULL;
  g_autofree char *said = NULL;
  int status;
  g_spawn_sync (folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &said, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s: %s", line, said);
}

#define PICTURES "-f lavfi -i testsrc=size=320x180:rate=25:duration=2 -pix_fmt yuv420p "

static void
write_file (const char *name, const char *data, gsize length)
{
  g_autofree char *path = path_of (name);
  g_assert_true (g_file_set_contents (path, data, (gssize)length, NULL));
}

static void
write_text (const char *name, const char *text)
{
  write_file (name, text, strlen (text));
}

/* The first @percent of @from, or for 100 all but its last byte. */
static void
cut (const char *from, const char *to, guint percent)
{
  g_autofree char *path = path_of (from);
  g_autofree char *data = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  write_file (to, data, percent == 100 ? size - 1 : size * percent / 100);
}

static void
assert_clip (const char *name, guint64 duration_ms, double fps, guint width, guint height)
{
  SvClipFacts facts;
  GError *error = NULL;
  g_autofree char *path = path_of (name);
  g_assert_true (sv_clip_probe (path, &facts, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (facts.duration_ms, >=, duration_ms - 40);
  g_assert_cmpuint (facts.duration_ms, <=, duration_ms + 40);
  g_assert_cmpfloat (facts.fps, ==, fps);
  g_assert_cmpuint (facts.width, ==, width);
  g_assert_cmpuint (facts.height, ==, height);
}

static void
assert_no_clip (const char *name, const char *reason)
{
  SvClipFacts facts;
  g_autofree char *path = path_of (name);
  assert_fails_saying (sv_clip_probe (path, &facts, refusal), SV_ERROR_MALFORMED, reason);
}

/* ── clips ── */

static void
test_clips (void)
{
  make ("a.mp4", PICTURES "-c:v libx264");
  assert_clip ("a.mp4", 2000, 25, 320, 180);
  make ("fast.mp4", PICTURES "-c:v libx264 -movflags +faststart");
  assert_clip ("fast.mp4", 2000, 25, 320, 180);
  make ("a.mov", PICTURES "-c:v mpeg4");
  assert_clip ("a.mov", 2000, 25, 320, 180);
  make ("a.mkv", PICTURES "-c:v libx264");
  assert_clip ("a.mkv", 2000, 25, 320, 180);
  make ("a.webm", PICTURES "-c:v libvpx-vp9 -deadline realtime -cpu-used 8");
  assert_clip ("a.webm", 2000, 25, 320, 180);
  make ("sound.mp4", "-f lavfi -i testsrc=size=64x48:rate=30000/1001:duration=3 -f lavfi -i sine=duration=3 -pix_fmt yuv420p "
                     "-c:v libx264 -c:a aac");
  assert_clip ("sound.mp4", 3003, 29.97, 64, 48);
  make ("fragmented.mp4", PICTURES "-c:v libx264 -movflags frag_keyframe+empty_moov");
  assert_clip ("fragmented.mp4", 2000, 25, 320, 180);
}

static void
test_names (void)
{
  make ("a.mp4", PICTURES "-c:v libx264");
  static const char *const names[] = { "clip", "clip.part", "clip.2025-10-23", "CLIP.MP4" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
  {
    g_autofree char *from = path_of ("a.mp4"), *to = path_of (names[i]);
    g_assert_cmpint (link (from, to), ==, 0);
    assert_clip (names[i], 2000, 25, 320, 180);
  }
}

/* ── no clips ── */

static void
test_no_files (void)
{
  SvClipFacts facts;
  g_autofree char *missing = path_of ("missing.mp4");
  assert_fails (sv_clip_probe (missing, &facts, refusal), SV_ERROR_NOT_FOUND);
  g_autofree char *directory = path_of (".");
  assert_fails_saying (sv_clip_probe (directory, &facts, refusal), SV_ERROR_USAGE, "not a plain file");
  write_text ("empty.mp4", "");
  assert_no_clip ("empty.mp4", "empty");

  g_autofree char *big = path_of ("big.mp4");
  write_text ("big.mp4", "x");
  g_assert_cmpint (truncate (big, ((off_t)2 << 30) + 1), ==, 0);
  assert_no_clip ("big.mp4", "at most 2 GiB");
}

static void
test_other_types (void)
{
  write_text ("text.mp4", "This is not a clip.\n");
  assert_no_clip ("text.mp4", "it is");
  make ("image.png", "-f lavfi -i testsrc=size=64x48 -frames:v 1");
  assert_no_clip ("image.png", "png_pipe");
  make ("image.jpg", "-f lavfi -i testsrc=size=64x48 -frames:v 1");
  assert_no_clip ("image.jpg", "it is");
  make ("sound.m4a.mp4", "-f lavfi -i sine=duration=1 -c:a aac");
  assert_no_clip ("sound.m4a.mp4", "no video");
  make ("a.avi", PICTURES "-c:v mpeg4");
  assert_no_clip ("a.avi", "\"avi\"");
  make ("a.ts", PICTURES "-c:v libx264");
  assert_no_clip ("a.ts", "\"mpegts\"");
}

static void
test_playlists (void)
{
  make ("a.mp4", PICTURES "-c:v libx264");
  static const char hls[] = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.mp4\n#EXT-X-ENDLIST\n";
  static const char concat[] = "ffconcat version 1.0\nfile a.mp4\n";
  static const char *const names[] = { "list.m3u8", "list.mp4", "list" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
  {
    write_text (names[i], hls);
    assert_no_clip (names[i], "\"hls\"");
    write_text (names[i], concat);
    assert_no_clip (names[i], "\"concat\"");
  }
}

static void
test_cut_short (void)
{
  make ("behind.mp4", PICTURES "-c:v libx264");
  make ("front.mp4", PICTURES "-c:v libx264 -movflags +faststart");
  make ("long.mkv", "-f lavfi -i testsrc=size=320x180:rate=25:duration=8 -pix_fmt yuv420p -c:v libx264 -g 25");
  cut ("behind.mp4", "header.mp4", 1);
  assert_no_clip ("header.mp4", "whole?");
  cut ("behind.mp4", "middle.mp4", 50);
  assert_no_clip ("middle.mp4", "whole?");
  cut ("front.mp4", "front-middle.mp4", 60);
  assert_no_clip ("front-middle.mp4", "cut short");
  cut ("front.mp4", "front-end.mp4", 100);
  assert_no_clip ("front-end.mp4", "cut short");
  cut ("long.mkv", "middle.mkv", 60);
  assert_no_clip ("middle.mkv", "cut short");
}

static void
test_lying_names (void)
{
  make ("a.mp4", PICTURES "-c:v libx264");
  make ("a.mkv", PICTURES "-c:v libx264");
  static const struct
  {
    const char *from;
    const char *to;
    const char *reason;
  } cases[] = {
    { "a.mp4", "b.mkv", "rename it to end in .mp4" },
    { "a.mp4", "b.png", "rename it to end in .mp4" },
    { "a.mp4", "b.M3U8", "rename it to end in .mp4" },
    { "a.mkv", "b.mp4", "rename it to end in .mkv" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autofree char *from = path_of (cases[i].from), *to = path_of (cases[i].to);
    g_assert_cmpint (rename (from, to), ==, 0);
    assert_no_clip (cases[i].to, cases[i].reason);
    g_assert_cmpint (rename (to, from), ==, 0);
  }
}

/* Everything between the first box and the index, which is behind, becomes noise. */
static void
test_noise (void)
{
  make ("a.mp4", PICTURES "-c:v libx264");
  g_autofree char *path = path_of ("a.mp4");
  g_autofree char *data = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  char *media = memmem (data, size, "mdat", 4), *index = memmem (data, size, "moov", 4);
  g_assert_nonnull (media);
  g_assert_true (index > media);
  memset (media + 4, 0xff, (gsize)(index - media) - 8);
  write_file ("noise.mp4", data, size);
  assert_no_clip ("noise.mp4", "decoded");
}

static void
run_in_folder (gconstpointer run)
{
  folder = scratch_new ();
  ((void (*) (void))run) ();
  scratch_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const struct
  {
    const char *path;
    void (*run) (void);
  } cases[] = {
    { "/clip-probe/clips", test_clips },
    { "/clip-probe/names", test_names },
    { "/clip-probe/no files", test_no_files },
    { "/clip-probe/other types", test_other_types },
    { "/clip-probe/playlists", test_playlists },
    { "/clip-probe/cut short", test_cut_short },
    { "/clip-probe/lying names", test_lying_names },
    { "/clip-probe/noise for content", test_noise },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].path, (gconstpointer)cases[i].run, run_in_folder);
  return g_test_run ();
}
