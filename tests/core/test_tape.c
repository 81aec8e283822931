/* The tape: every kind of node written and read back, growth, clearing, handles of other tapes, failing allocations. */
#include "tape.h"

#include "lab.h"

static int payloads_released;

static void release_payload(void *payload) {
    payloads_released++;
    ++*(int *)payload;
}

/* ---- one node of each kind ---- */

static void test_leaves(lab *l) {
    const tg_index shape[] = {2, 0, 3, 4, 5};
    for (int ndim = 0; ndim <= 5; ndim++) {
        uint32_t slot;
        CHECK_OK(tg_tape_watch(&l->tape, TG_C64 - ndim, ndim, shape, &slot));
        CHECK(slot == (uint32_t)ndim && l->tape.leaves == slot + 1);
        const tg_node *node = tg_tape_node(&l->tape, slot);
        tg_output output = tg_tape_output(&l->tape, slot);
        CHECK(node->kind == TG_NODE_LEAF && node->operands == 0 && node->slot == slot && !node->saved_mask);
        CHECK(output.dtype == TG_C64 - ndim && tg_same_shape(output.ndim, output.shape, ndim, shape));
        CHECK(tg_node_outputs(node) == 1);
    }
    CHECK(l->tape.wide == 6); /* complex64, and arrays */
}

static void test_numbers(lab *l) {
    tensor x = lab_watch(l, lab_number(TG_F64, 3)), c = lab_number(TG_F64, 5);
    const size_t before = l->tape.used;
    for (int general = 0; general <= 1; general++) {
        l->general = general;
        tensor y = lab_multiply(l, x, c);
        const tg_node *node = tg_tape_node(&l->tape, lab_slot(l, y));
        CHECK(node->kind == TG_NODE_ELEMENTWISE && node->op == TG_OP_MULTIPLY && node->dtype == TG_F64);
        CHECK(node->operands == 2 && node->in[0] == lab_slot(l, x) && node->in[1] == TG_NO_SLOT);
        /* Only the slope of x is wanted, so only c is saved. */
        CHECK(node->saved_mask == 2 && node->array_mask == 0 && node->words == 5 && node->ndim == 0);
        tg_value saved = tg_node_saved_value(node, 1);
        CHECK(!saved.array && saved.dtype == TG_F64 && saved.scalar.f64 == 5);
        CHECK(tg_tape_output(&l->tape, lab_slot(l, y)).ndim == 0);
        tensor e = lab_one(l, TG_OP_EXP, y);
        node = tg_tape_node(&l->tape, lab_slot(l, e));
        CHECK(node->saved_mask == TG_NEEDS_OUT && tg_node_saved_value(node, TG_MAX_OPERANDS).scalar.f64 == exp(15));
        tensor z = lab_multiply(l, x, x);
        node = tg_tape_node(&l->tape, lab_slot(l, z));
        CHECK(node->saved_mask == 3 && node->words == 6 && tg_node_saved_value(node, 0).scalar.f64 == 3);
    }
    CHECK(l->tape.used == before + 2 * (5 + 5 + 6) && l->tape.wide == 0 && l->tape.owning == 0);
    tensor constant = lab_multiply(l, c, c);
    CHECK(lab_slot(l, constant) == TG_NO_SLOT && constant.value.scalar.f64 == 25);
}

static void test_arrays(lab *l) {
    const tg_index shape[] = {2, 3};
    tensor x = lab_watch(l, lab_random(l, TG_F32, 2, shape)), c = lab_number(TG_F32, 5);
    for (int general = 0; general <= 1; general++) {
        l->general = general;
        tensor y = lab_multiply(l, lab_multiply(l, x, x), c);
        tg_node *node = tg_tape_node(&l->tape, lab_slot(l, y));
        CHECK(node->saved_mask == 2 && node->array_mask == 0 && tg_node_saved_value(node, 1).scalar.f32 == 5);
        node = tg_tape_node(&l->tape, lab_slot(l, y) - 1);
        CHECK(node->saved_mask == 3 && node->array_mask == 3);
        CHECK(tg_node_saved_value(node, 0).array == x.value.array && tg_node_saved_value(node, 1).dtype == TG_F32);
        tg_output output = tg_tape_output(&l->tape, lab_slot(l, y));
        CHECK(output.dtype == TG_F32 && tg_same_shape(output.ndim, output.shape, 2, shape));
        CHECK(atomic_load(&x.value.array->refs) == 3 && l->tape.owning == 1);
        tg_tape_release_node(&l->tape, node);
        CHECK(atomic_load(&x.value.array->refs) == 1 && l->tape.owning == 0 && !node->saved_mask);
        tg_tape_release_node(&l->tape, node); /* once is enough */
        CHECK(atomic_load(&x.value.array->refs) == 1 && l->tape.owning == 0);
    }
}

/* Numbers that do not fit a word, or are of another type than the node. */
static void test_wide_numbers(lab *l) {
    tg_value values[3] = {{.dtype = TG_C128, .scalar = {.c128 = {1.5, -2.5}}},
                          {.dtype = TG_BOOL, .scalar = {.b = true}},
                          {.dtype = TG_C64, .scalar = {.c64 = {1, 2}}}};
    uint32_t slot, in[3] = {TG_NO_SLOT, TG_NO_SLOT, 0};
    CHECK_OK(tg_tape_watch(&l->tape, TG_C64, 0, NULL, &in[2]));
    tg_record record = {.op = TG_SELECT,
                        .kind = TG_NODE_STRUCTURAL,
                        .dtype = TG_C64,
                        .flags = TG_FLAG_GENERIC,
                        .operands = 3,
                        .in = in,
                        .saved_mask = 7,
                        .saved = {&values[0], &values[1], &values[2]}};
    CHECK_OK(tg_tape_record(&l->tape, &record, &slot));
    tg_node *node = tg_tape_node(&l->tape, slot);
    CHECK(node->flags == TG_FLAG_GENERIC && node->saved_mask == 7 && node->array_mask == 3);
    for (int k = 0; k < 3; k++) {
        tg_value saved = tg_node_saved_value(node, k);
        CHECK(!saved.array && saved.dtype == values[k].dtype);
        CHECK(memcmp(&saved.scalar, &values[k].scalar, tg_itemsize(saved.dtype)) == 0);
    }
    CHECK(tg_node_params_count(node) == 0 && l->tape.owning == 1);
}

static void test_structural(lab *l) {
    tensor x = lab_watch(l, lab_random(l, TG_F64, 2, (tg_index[]){3, 4}));
    const tg_index params[] = {1, 1, 2, 3, -2, 2};
    tg_call call = {.op = TG_SLICE, .dtype = TG_F64, .ndim = 2, .params_count = 6, .params = params, .shape = {2, 2}};
    tensor y = lab_structural(l, &call, 1, &x);
    const tg_node *node = tg_tape_node(&l->tape, lab_slot(l, y));
    CHECK(node->kind == TG_NODE_STRUCTURAL && node->op == TG_SLICE && tg_node_params_count(node) == 6);
    CHECK(memcmp(tg_node_params(node), params, sizeof params) == 0 && !node->saved_mask);
    CHECK(tg_same_shape(node->ndim, tg_node_shape(node), 2, (tg_index[]){2, 2}));
    CHECK(node->words == 3 + 1 + 2 + 1 + 6);
}

static void test_external(lab *l) {
    int released = 0;
    l->tape.release_payload = release_payload;
    uint32_t slot, in[3] = {0, TG_NO_SLOT, 0};
    CHECK_OK(tg_tape_watch(&l->tape, TG_F64, 0, NULL, &in[0]));
    const tg_output outputs[3] = {{TG_F64, 2, (tg_index[]){2, 3}}, {TG_I64, 0, NULL}, {TG_F32, 1, (tg_index[]){7}}};
    CHECK_OK(tg_tape_record_external(&l->tape, 3, in, 3, outputs, &released, &slot));
    tg_node *node = tg_tape_node(&l->tape, slot);
    CHECK(node->kind == TG_NODE_EXTERNAL && tg_node_outputs(node) == 3 && l->tape.slots == slot + 3);
    CHECK(*tg_node_payload(node) == &released && node->in[1] == TG_NO_SLOT && node->slot == slot);
    for (uint32_t i = 0; i < 3; i++) {
        tg_output output = tg_tape_output(&l->tape, slot + i);
        CHECK(tg_tape_node(&l->tape, slot + i) == node && output.dtype == outputs[i].dtype);
        CHECK(tg_same_shape(output.ndim, output.shape, outputs[i].ndim, outputs[i].shape));
    }
    CHECK(l->tape.wide == 3 && l->tape.owning == 1);
    tg_tape_release_node(&l->tape, node);
    tg_tape_release_node(&l->tape, node);
    CHECK(released == 1 && l->tape.owning == 0);
    CHECK_OK(tg_tape_record_external(&l->tape, 1, in, 1, outputs, &released, &slot));
    tg_tape_clear(&l->tape, 1);
    CHECK(released == 2);
}

/* ---- handles of other tapes ---- */

static void test_other_handles(lab *l) {
    tensor x = lab_watch(l, lab_number(TG_F64, 2)), y = lab_watch(l, lab_number(TG_F64, 3));
    const uint32_t x_slot = lab_slot(l, x);
    for (uint32_t id = 10; id < 14; id++) CHECK_OK(tg_handles_add(&x.handles, l->pool, id, 2 * id, NULL, NULL));
    CHECK_OK(tg_handles_add(&y.handles, l->pool, 20, 7, NULL, NULL));
    CHECK(lab_slot(l, x) == x_slot);
    tensor z = lab_multiply(l, x, y);
    const tg_node *node = tg_tape_node(&l->tape, lab_slot(l, z));
    CHECK(node->flags & TG_FLAG_HANDLES && node->saved_mask == 3);
    tg_handle handle;
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(tg_node_saved_handle(node, 0, i, &handle) && handle.id == 10 + i && handle.slot == 2 * handle.id);
    }
    CHECK(!tg_node_saved_handle(node, 0, 4, &handle));
    CHECK(tg_node_saved_handle(node, 1, 0, &handle) && handle.id == 20 && handle.slot == 7);
    CHECK(!tg_node_saved_handle(node, 1, 1, &handle) && !tg_node_saved_handle(node, TG_MAX_OPERANDS, 0, &handle));
    CHECK(tg_node_saved_value(node, 0).scalar.f64 == 2 && tg_node_saved_value(node, 1).scalar.f64 == 3);
    tensor sum = lab_add(l, x, y); /* saves nothing, so nobody's handles either */
    CHECK(!tg_tape_node(&l->tape, lab_slot(l, sum))->flags);
    CHECK(!tg_node_saved_handle(tg_tape_node(&l->tape, lab_slot(l, sum)), 0, 0, &handle));
    tg_handles_clear(&x.handles, l->pool);
}

/* ---- growth and clearing ---- */

/* Records about `count` nodes of several kinds; false if an allocation fails, which must leave the tape as it was. */
static bool record_many(lab *l, int count, void *payload) {
    tensor x = lab_watch(l, lab_random(l, TG_F64, 1, (tg_index[]){3})), y = lab_watch(l, lab_number(TG_F64, 1.5));
    const tg_output outputs[2] = {{TG_F64, 0, NULL}, {TG_F64, 3, (tg_index[]){1, 2, 3}}};
    for (int i = 0; i < count && l->status == TG_OK; i++) {
        const tg_tape before = l->tape;
        const int kind = i % 5;
        uint32_t slot, in = lab_slot(l, y);
        if (kind == 0) lab_multiply(l, x, y);
        if (kind == 1) y = lab_multiply(l, y, lab_number(TG_F64, 0.5));
        if (kind == 2) lab_watch(l, x);
        if (kind == 3) l->status = tg_tape_record_external(&l->tape, 1, &in, 2, outputs, payload, &slot);
        if (kind == 4) lab_multiply(l, y, lab_number(TG_F64, i));
        if (l->status == TG_OK) continue;
        CHECK(l->tape.used == before.used && l->tape.slots == before.slots && l->tape.nodes == before.nodes);
        CHECK(l->tape.owning == before.owning && l->tape.leaves == before.leaves && l->tape.last == before.last);
        CHECK(l->tape.wide == before.wide && l->tape.work == before.work);
    }
    return l->status == TG_OK;
}

static void test_growth(lab *l) {
    const int count = 100000;
    int released = 0;
    l->tape.release_payload = release_payload;
    CHECK(record_many(l, count, &released));
    CHECK(l->tape.nodes == (size_t)count + 2 && l->tape.leaves == 2 + (uint32_t)count / 5);
    CHECK(tg_tape_bytes(&l->tape) == l->tape.used * 8 + l->tape.slots * 4);
    /* Forwards: slots in order, each found through the table. */
    uint32_t slots = 0, wrong = 0, backwards = 0;
    double expected = 1.5;
    for (size_t at = 0, i = 0; at < l->tape.used; i++) {
        const tg_node *node = (const tg_node *)(l->tape.arena + at);
        wrong += node->slot != slots || tg_tape_node(&l->tape, slots) != node;
        if (i >= 2 && (i - 2) % 5 == 1) {
            wrong += tg_node_saved_value(node, 1).scalar.f64 != 0.5;
            expected *= 0.5;
        }
        if (i >= 2 && (i - 2) % 5 == 0) wrong += tg_node_saved_value(node, 1).scalar.f64 != expected;
        if (i >= 2 && (i - 2) % 5 == 4) wrong += tg_node_saved_value(node, 1).scalar.f64 != (double)(i - 2);
        slots += tg_node_outputs(node);
        at += node->words;
    }
    CHECK(slots == l->tape.slots && wrong == 0);
    for (size_t at = l->tape.last;; backwards++) {
        const tg_node *node = (const tg_node *)(l->tape.arena + at);
        if (!node->previous) break;
        at -= node->previous;
    }
    CHECK(backwards + 1 == l->tape.nodes);
    tg_tape_clear(&l->tape, 2);
    CHECK(released == count / 5);
}

static void test_clear(lab *l) {
    int owner, released = 0;
    tg_tape next, previous;
    l->tape.owner = &owner;
    l->tape.watches = true;
    l->tape.next_live = &next;
    l->tape.previous_live = &previous;
    l->tape.release_payload = release_payload;
    for (uint64_t id = 2; id < 5; id++) {
        CHECK(record_many(l, 1000, &released));
        lab_forget(l);
        tg_tape_clear(&l->tape, id);
        CHECK(tg_pool_statistics(l->pool).live == 0 && l->tape.id == id && l->tape.nodes == 0 && l->tape.used == 0);
        CHECK(l->tape.slots == 0 && l->tape.owning == 0 && l->tape.leaves == 0 && l->tape.wide == 0);
    }
    CHECK(released == 600 && l->tape.owner == &owner && l->tape.watches);
    CHECK(l->tape.next_live == &next && l->tape.previous_live == &previous && l->tape.pool == l->pool);
}

static void test_too_large(lab *l) {
    uint32_t slot;
    CHECK_OK(tg_tape_watch(&l->tape, TG_F64, 0, NULL, &slot));
    CHECK(tg_tape_reserve(&l->tape, UINT32_MAX, 1) == TG_TOO_LARGE);
    CHECK(tg_tape_reserve(&l->tape, SIZE_MAX, 1) == TG_TOO_LARGE);
    CHECK(tg_tape_reserve(&l->tape, 1, UINT32_MAX - 1) == TG_TOO_LARGE);
    CHECK(l->tape.slots == 1 && l->tape.used == 3);
}

/* ---- allocations that fail ---- */

static tg_status grow_with_failures(tg_allocator allocator, void *context) {
    lab l;
    int released = 0;
    lab_begin(&l, allocator, 0);
    l.tape.release_payload = release_payload;
    if (l.status == TG_OK) record_many(&l, *(int *)context, &released);
    return lab_end(&l);
}

static tg_status wide_numbers_with_failures(tg_allocator allocator, void *context) {
    (void)context;
    lab l;
    lab_begin(&l, allocator, 0);
    tensor x = l.status == TG_OK ? lab_watch(&l, lab_number(TG_F64, 1)) : (tensor){0};
    for (int i = 0; i < 60 && l.status == TG_OK; i++) {
        tg_value values[2] = {{.dtype = TG_C128}, {.dtype = TG_F32}};
        tg_handles handles = {{7, 8}, {1, 2}, NULL};
        const uint32_t in[2] = {lab_slot(&l, x), TG_NO_SLOT};
        const tg_tape before = l.tape;
        tg_record record = {.op = TG_OP_MULTIPLY,
                            .kind = TG_NODE_ELEMENTWISE,
                            .dtype = TG_F64,
                            .operands = 2,
                            .in = in,
                            .saved_mask = 3,
                            .saved = {&values[0], &values[1]},
                            .handles = {&handles, &handles}};
        uint32_t slot;
        l.status = tg_tape_record(&l.tape, &record, &slot);
        if (l.status != TG_OK) CHECK(l.tape.used == before.used && l.tape.slots == before.slots);
    }
    return lab_end(&l);
}

int main(void) {
    void (*const tests[])(lab *l) = {test_leaves,    test_numbers,       test_arrays, test_wide_numbers,
                                     test_structural, test_external,      test_other_handles, test_growth,
                                     test_clear,     test_too_large};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) lab_run(tests[i]);
    check_every_failure(grow_with_failures, &(int){1000});
    check_every_failure(wide_numbers_with_failures, NULL);
    return check_report();
}
