/* What the benchmarks share: processors, rounds of measurements, and the measure of all things here, bare verifications. */
#pragma once

#include <glib.h>
#include <time.h>

/* Keeps the calling thread on one processor. */
void bench_pin (guint core);

/* A signature with its key and its message. */
typedef struct BenchSigned BenchSigned;
/* Returns: (transfer full) one of a new key; g_free(). */
BenchSigned *bench_sign (void);
/* Ends the program where it does not verify. */
void bench_verify_one (const BenchSigned *one);

/* Bare Ed25519 verifications: crypto_sign_verify_detached() and nothing else. */
typedef struct
{
  double per_second;     /* of the clock on the wall */
  double per_cpu_second; /* of the processor's time that they got */
} BenchBare;

/* Verifies on @core for @seconds. The calling thread moves there, and back to @home. */
BenchBare bench_verify (guint core, guint home, double seconds);

double bench_now (void);
double bench_clock (clockid_t clock);

/* Prints "NAME<TAB>median<TAB>least<TAB>greatest" of what the rounds gave. */
void bench_print (const char *name, GArray *of_doubles);

/* Ends the program with a message. */
void bench_fail (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;

GArray *bench_rounds_new (void);
void bench_rounds_add (GArray *rounds, double value);

/* The value below which the share @q of them lies. Sorts them. */
double bench_quantile (GArray *of_doubles, double q);
