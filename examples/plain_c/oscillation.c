/* Fits a damped oscillation, amplitude * exp(-decay t) * cos(frequency t), to noisy data by the method of Gauss and
 * Newton: a program in C, without Python. The Jacobian comes from a tape, one column for each parameter.
 *
 *     oscillation [points]
 *
 * Prints what it found, and how long an iteration took.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tapegrad/tapecore.h>

enum { PARAMETERS = 3, ITERATIONS = 12 };

static tapegrad_context *context;
static const tapegrad_op *cosine, *exponential, *multiply, *negative, *subtract;

static void stop(const char *what) {
    fprintf(stderr, "%s: %s\n", what, tapegrad_error_text());
    exit(EXIT_FAILURE);
}

/* The model minus the data. */
static tapegrad_value *residuals(tapegrad_value *const *p, tapegrad_value *times, tapegrad_value *data) {
    tapegrad_value *v[8];
    v[0] = tapegrad_binary(multiply, p[1], times);
    v[1] = tapegrad_unary(negative, v[0]);
    v[2] = tapegrad_unary(exponential, v[1]);
    v[3] = tapegrad_binary(multiply, p[2], times);
    v[4] = tapegrad_unary(cosine, v[3]);
    v[5] = tapegrad_binary(multiply, v[2], v[4]);
    v[6] = tapegrad_binary(multiply, p[0], v[5]);
    v[7] = tapegrad_binary(subtract, v[6], data);
    for (int i = 0; i < 7; i++) tapegrad_release(v[i]);
    return v[7];
}

/* Solves the normal equations of three unknowns by elimination. */
static void solve(double a[PARAMETERS][PARAMETERS], double *b) {
    for (int k = 0; k < PARAMETERS; k++) {
        for (int i = k + 1; i < PARAMETERS; i++) {
            const double factor = a[i][k] / a[k][k];
            for (int j = k; j < PARAMETERS; j++) a[i][j] -= factor * a[k][j];
            b[i] -= factor * b[k];
        }
    }
    for (int k = PARAMETERS - 1; k >= 0; k--) {
        for (int j = k + 1; j < PARAMETERS; j++) b[k] -= a[k][j] * b[j];
        b[k] /= a[k][k];
    }
}

/* One step: the parameters are moved; returns the sum of squares before it. */
static double iterate(double *parameters, tapegrad_value *times, tapegrad_value *data) {
    tapegrad_value *p[PARAMETERS], *jacobians[PARAMETERS];
    tapegrad_tape *tape = tapegrad_tape_new(context, 0);
    if (!tape || tapegrad_tape_enter(tape) != TAPEGRAD_OK) stop("tape");
    for (int k = 0; k < PARAMETERS; k++) {
        p[k] = tapegrad_scalar(context, TAPEGRAD_FLOAT64, parameters[k]);
        if (tapegrad_watch(tape, p[k]) != TAPEGRAD_OK) stop("watch");
    }
    tapegrad_value *r = residuals(p, times, data);
    if (!r || tapegrad_tape_leave(tape) != TAPEGRAD_OK) stop("residuals");
    if (tapegrad_jacobian(tape, r, PARAMETERS, p, jacobians) != TAPEGRAD_OK) stop("jacobian");

    double a[PARAMETERS][PARAMETERS] = {{0}}, b[PARAMETERS] = {0}, squares = 0;
    const double *at = tapegrad_data(r), *columns[PARAMETERS];
    for (int k = 0; k < PARAMETERS; k++) columns[k] = tapegrad_data(jacobians[k]);
    for (intptr_t i = 0; i < tapegrad_size(r); i++) {
        squares += at[i] * at[i];
        for (int j = 0; j < PARAMETERS; j++) {
            b[j] += columns[j][i] * at[i];
            for (int k = 0; k < PARAMETERS; k++) a[j][k] += columns[j][i] * columns[k][i];
        }
    }
    solve(a, b);
    for (int k = 0; k < PARAMETERS; k++) {
        parameters[k] -= b[k];
        tapegrad_release(p[k]);
        tapegrad_release(jacobians[k]);
    }
    tapegrad_release(r);
    tapegrad_tape_free(tape);
    return squares;
}

/* Noise that is the same everywhere: uniform, from a linear congruential generator. */
static double noise(void) {
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0 - 0.5;
}

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int count, char **arguments) {
    const intptr_t points = count > 1 ? atol(arguments[1]) : 200;
    context = tapegrad_context_new();
    if (!context) stop("context");
    cosine = tapegrad_find(context, "cos");
    exponential = tapegrad_find(context, "exp");
    multiply = tapegrad_find(context, "multiply");
    negative = tapegrad_find(context, "negative");
    subtract = tapegrad_find(context, "subtract");

    void *t, *y;
    tapegrad_value *times = tapegrad_empty(context, TAPEGRAD_FLOAT64, 1, &points, &t);
    tapegrad_value *data = tapegrad_empty(context, TAPEGRAD_FLOAT64, 1, &points, &y);
    if (!times || !data) stop("data");
    for (intptr_t i = 0; i < points; i++) {
        const double time = ((double *)t)[i] = 10.0 * (double)i / (double)points;
        ((double *)y)[i] = 2.0 * exp(-0.3 * time) * cos(1.7 * time) + 0.1 * noise();
    }
    double parameters[PARAMETERS] = {1.5, 0.2, 1.6}, squares = 0;
    const double start = seconds();
    for (int i = 0; i < ITERATIONS; i++) squares = iterate(parameters, times, data);
    const double microseconds = 1e6 * (seconds() - start) / ITERATIONS;

    tapegrad_release(times);
    tapegrad_release(data);
    const tapegrad_memory memory = tapegrad_memory_stats(context);
    if (tapegrad_context_free(context) != TAPEGRAD_OK) stop("context");
    printf("amplitude %.4f decay %.4f frequency %.4f residual %.4f\n", parameters[0], parameters[1], parameters[2],
           sqrt(squares / (double)points));
    printf("microseconds %.1f peak %zu\n", microseconds, memory.peak);
    return EXIT_SUCCESS;
}
