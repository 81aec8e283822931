/* tape.h: the contiguous arena of nodes that recording fills and the sweep reads.
 *
 * One node, in 8-byte words (`x * y` on two numbers: 6 words, 48 bytes):
 *
 *   | header: op, kind, dtype, ndim, flags, masks | words, previous | operands, slot |     tg_node, 24 bytes
 *   | in[operands]: the operands' slots (32 bits each, TG_NO_SLOT for a constant), padded   |
 *   | shape[ndim] of the output                                                             |
 *   | params: count, then that many words                          only TG_NODE_STRUCTURAL  |
 *   | saved: one word for each bit of saved_mask, a number or (array_mask) a tg_array *     |
 *   | count, then (id, index << 32 | slot) pairs                     only TG_FLAG_HANDLES   |
 *
 * A TG_NODE_EXTERNAL node has instead of shape, params and saved values: its payload (owned by the tape, freed through
 * `release_payload`), the number of its outputs, and for each output `dtype << 8 | ndim` and its shape.
 *
 * A slot numbers an output: slots grow by one from node to node, so a node's operands always have smaller slots. The
 * sweep walks back with `previous`. Indices instead of pointers, since the arena moves when it grows.
 *
 * Invariant: a record call that fails leaves the tape as it was.
 */
#ifndef TG_TAPE_H
#define TG_TAPE_H

#include "core.h"
#include "ops.h"
#include "value.h"

typedef enum tg_node_kind {
    TG_NODE_LEAF,        /* a watched value */
    TG_NODE_ELEMENTWISE, /* an operation of ops.def */
    TG_NODE_STRUCTURAL,  /* an operation of structural.h */
    TG_NODE_EXTERNAL,    /* a rule outside the core */
} tg_node_kind;

enum {
    TG_FLAG_GENERIC = 1, /* an element type without native kernels: the sweep asks the binding */
    TG_FLAG_HANDLES = 2, /* other tapes know a saved value */
    TG_FLAG_PLAIN = 4,   /* each operand is a number or a contiguous array of the output's shape; so are saved values */
    TG_FLAG_NUMBER = 8,  /* shifted left by k: operand k of a plain node is a number */
};

typedef struct tg_node {
    uint16_t op;
    uint8_t kind;
    uint8_t dtype;
    uint8_t ndim;
    uint8_t flags;
    uint8_t saved_mask; /* bit k: operand k, bit TG_MAX_OPERANDS: the output */
    uint8_t array_mask; /* the same bits, set where the saved word is a tg_array * (owned) */
    uint32_t words;     /* the length of this node */
    uint32_t previous;  /* the length of the node before it, 0 for the first */
    uint32_t operands;
    uint32_t slot; /* of the first output */
    uint32_t in[];
} tg_node;

/* Memory that a tape has grown out of while somebody was reading it. */
typedef struct tg_outgrown {
    struct tg_outgrown *next;
    void *block;
    size_t block_bytes, own_bytes;
} tg_outgrown;

typedef struct tg_tape {
    uint64_t id;            /* never used twice; 0 is nobody's */
    tg_pool *pool;          /* borrowed for the tape's life */
    uint64_t *arena;        /* owned */
    size_t capacity, used;  /* in words */
    size_t arena_bytes;     /* the block's size, for the pool */
    uint32_t *node_of_slot; /* owned: where in the arena the node of a slot begins */
    uint32_t slots, slot_capacity;
    size_t slot_bytes;
    uint32_t last, last_words; /* where the last node begins, and its length */
    uint32_t leaves; /* nodes of kind TG_NODE_LEAF */
    size_t nodes;
    size_t wide;     /* outputs whose adjoint is an array: not numbers of a native type */
    size_t owning;   /* nodes that own arrays or payloads: 0 makes tg_tape_clear free of charge */
    void (*release_payload)(void *payload);
    tg_index work;   /* elements of all recorded arrays: what a sweep will roughly cost */

    /* The binding's part. */
    void *owner;     /* the tape's Python object, borrowed */
    bool watches;    /* variables are watched when they are read */
    bool observed;   /* the binding wants to hear of every node */
    int readers;     /* sweeps under way in any thread: until they end the arena must neither move nor go (guard.h) */
    struct tg_tape *next_live, *previous_live; /* the list of tapes whose id is in use */
#ifdef TG_FREE_THREADED
    tg_lock lock;          /* held by who records */
    const void *alone;     /* the thread that has the tape for itself (reading.h) */
    tg_outgrown *outgrown; /* owned */
#endif
} tg_tape;

/* What one record call appends. Arrays in `saved` are retained by the tape. */
typedef struct tg_record {
    int op;
    int kind;
    int dtype;
    int flags;
    int ndim;
    const tg_index *shape;
    uint32_t operands;
    const uint32_t *in;                             /* slots on this tape */
    int params_count;
    const tg_index *params;
    unsigned saved_mask;
    const tg_value *saved[TG_MAX_OPERANDS + 1];     /* by bit of saved_mask */
    const tg_handles *handles[TG_MAX_OPERANDS + 1]; /* the saved values' handles, or NULL */
} tg_record;

/* One output of an external node. */
typedef struct tg_output {
    int dtype;
    int ndim;
    const tg_index *shape; /* borrowed */
} tg_output;

/* Around what changes the tape, if other threads may see it; with an interpreter lock nothing (guard.h). */
static inline void tg_tape_take(tg_tape *tape) {
#ifdef TG_FREE_THREADED
    tg_lock_take(&tape->lock);
#else
    (void)tape;
#endif
}
static inline void tg_tape_give(tg_tape *tape) {
#ifdef TG_FREE_THREADED
    tg_lock_give(&tape->lock);
#else
    (void)tape;
#endif
}

void tg_tape_init(tg_tape *tape, tg_pool *pool, uint64_t id, void (*release_payload)(void *payload));

/* Forgets everything recorded and gives the memory back; the tape goes on under `id`. The binding's part stays. */
void tg_tape_clear(tg_tape *tape, uint64_t id);

#ifdef TG_FREE_THREADED
/* *old, out: what was recorded, to be cleared; the tape goes on empty under `id`, held as before. */
void tg_tape_move(tg_tape *tape, uint64_t id, tg_tape *old);

/* Frees what the tape has grown out of. */
void tg_tape_release_outgrown(tg_tape *tape);
#endif

/* The same, but the memory of the arena stays for what comes. */
void tg_tape_rewind(tg_tape *tape, uint64_t id);

/* *slot, out: the new output's slot. */
tg_status tg_tape_watch(tg_tape *tape, int dtype, int ndim, const tg_index *shape, uint32_t *slot);
tg_status tg_tape_record(tg_tape *tape, const tg_record *record, uint32_t *slot);

/* *slot, out: the first output's slot; the others follow. On success the tape owns `payload`. */
tg_status tg_tape_record_external(tg_tape *tape, uint32_t operands, const uint32_t *in, int outputs,
                                  const tg_output *output, void *payload, uint32_t *slot);

/* Room for a node of `words` words with `outputs` slots; afterwards nothing can fail. */
tg_status tg_tape_reserve(tg_tape *tape, size_t words, uint32_t outputs);

static inline tg_node *tg_tape_node(const tg_tape *tape, uint32_t slot) {
    return (tg_node *)(TG_READ(tape->arena) + TG_READ(tape->node_of_slot)[slot]);
}

/* Makes a node at the end of the arena, already filled, count: `words` long, with the next `outputs` slots. */
static inline void tg_tape_commit(tg_tape *tape, tg_node *node, uint32_t words, uint32_t outputs) {
    node->words = words;
    node->previous = tape->last_words;
    node->slot = tape->slots;
    tape->last = (uint32_t)tape->used;
    tape->last_words = words;
    for (uint32_t i = 0; i < outputs; i++) tape->node_of_slot[tape->slots + i] = tape->last;
    tape->slots += outputs;
    tape->used += words;
    tape->nodes++;
}

/* The part of a node's header that does not follow from its place on the tape. */
static inline void tg_node_describe(tg_node *node, int op, int kind, int dtype, int ndim, unsigned flags,
                                    unsigned saved_mask, unsigned array_mask, uint32_t operands) {
    node->op = (uint16_t)op;
    node->kind = (uint8_t)kind;
    node->dtype = (uint8_t)dtype;
    node->ndim = (uint8_t)ndim;
    node->flags = (uint8_t)flags;
    node->saved_mask = (uint8_t)saved_mask;
    node->array_mask = (uint8_t)array_mask;
    node->operands = operands;
}

static inline size_t tg_node_in_words(uint32_t operands) { return ((size_t)operands + 1) / 2; }

/* Where the parts of a node lie; see the diagram. */
static inline const tg_index *tg_node_shape(const tg_node *node) {
    return (const tg_index *)((const uint64_t *)(node + 1) + tg_node_in_words(node->operands));
}
static inline const tg_index *tg_node_params(const tg_node *node) { return tg_node_shape(node) + node->ndim + 1; }
static inline int tg_node_params_count(const tg_node *node) { return (int)tg_node_shape(node)[node->ndim]; }
static inline uint64_t *tg_node_saved(const tg_node *node) {
    const tg_index *after = tg_node_shape(node) + node->ndim;
    if (node->kind == TG_NODE_STRUCTURAL) after += 1 + after[0];
    return (uint64_t *)after;
}
static inline void **tg_node_payload(const tg_node *node) {
    return (void **)((uint64_t *)(node + 1) + tg_node_in_words(node->operands));
}

/* The saved value of bit `bit`, borrowed from the tape. */
tg_value tg_node_saved_value(const tg_node *node, int bit);

/* The handles that other tapes had for the saved value of bit `bit` when the node was recorded: entry `index`. */
bool tg_node_saved_handle(const tg_node *node, int bit, uint32_t index, tg_handle *out);

/* Number and description of a node's outputs; the shape is borrowed from the tape until it moves. */
uint32_t tg_node_outputs(const tg_node *node);
tg_output tg_node_output(const tg_node *external, uint32_t slot);

static inline tg_output tg_tape_output(const tg_tape *tape, uint32_t slot) {
    const tg_node *node = tg_tape_node(tape, slot);
    if (node->kind == TG_NODE_EXTERNAL) return tg_node_output(node, slot);
    return (tg_output){node->dtype, node->ndim, tg_node_shape(node)};
}

/* Frees what one node owns; its masks are cleared, so that it happens once. */
void tg_tape_release_node(tg_tape *tape, tg_node *node);

/* A slot whose adjoint is kept as a number. */
static inline bool tg_holds_number(int dtype, int ndim) { return ndim == 0 && tg_dtype_is_native(dtype); }

/* Bytes of arena and slot table in use. */
size_t tg_tape_bytes(const tg_tape *tape);

#endif
