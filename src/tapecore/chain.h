/* chain.h: a run of elementwise nodes swept block by block instead of node by node.
 *
 * Walking back, the sweep hands consecutive elementwise nodes of one size to a chain, which only writes down what has
 * to be computed. When a node of another kind comes, or the chain is full, it is flushed: for each block of TG_BLOCK
 * elements all its kernels run, so that the cotangents between its nodes live in the L1 cache and never become arrays,
 * and each gradient is written once.
 *
 *   place   where the adjoint of a slot is: an array it had before, a new array (the slot is a source, or was made by
 *           a node outside the chain), or a block (made and used up inside); decided at the flush
 *   step    one kernel call: adjoint of operand k (+)= g * partial k
 *
 * While a chain is pending, the cells of its places hold `index << 1 | 1` instead of a pointer.
 */
#ifndef TG_CHAIN_H
#define TG_CHAIN_H

#include "sweep.h"

#define TG_CHAIN_NODES 32
#define TG_CHAIN_PLACES 96
#define TG_CHAIN_STEPS 96

typedef struct tg_place {
    tg_array *array; /* what the cell held; after the flush's planning also new arrays. Owned. */
    uint32_t slot;
    int16_t last_read; /* the last step that reads it as a cotangent, or -1 */
    int16_t block;     /* if there is no array: its number, or -1 before it has one */
    int16_t alias;     /* the place that took over this one's array, or -1 */
    bool written;      /* holds a contribution, from before or from a step */
    bool consumed;     /* its node is in the chain: needed no further */
    bool kept;         /* a source */
    bool uniform;      /* `array` is one number seen as an array */
} tg_place;

/* A node of the chain, and where its saved values are. */
typedef struct tg_link {
    tg_node *node;
    const char *saved[TG_MAX_OPERANDS + 1]; /* by bit of the node's saved_mask; borrowed from the tape */
    unsigned numbers;                       /* bits of those that are single numbers */
} tg_link;

typedef struct tg_step {
    tg_kernel kernel;
    uint32_t slot;   /* of the operand */
    int16_t link;
    int16_t g;       /* place */
    int16_t adjoint; /* place, or -1: the number in the slot's cell */
    uint8_t needs;   /* the saved values the kernel reads */
    bool accumulate;
} tg_step;

typedef struct tg_chain {
    tg_index size; /* elements of every value in the chain */
    int dtype;
    int links, places, steps;
    tg_link link[TG_CHAIN_NODES];
    tg_place place[TG_CHAIN_PLACES];
    tg_step step[TG_CHAIN_STEPS];
} tg_chain;

/* Writes the node down if it fits: native, contiguous, operands of its own shape or numbers. False: the caller flushes
 * and, if the chain was not empty, may try again. */
bool tg_chain_add(tg_chain *chain, tg_sweep *sweep, tg_node *node);

/* Computes what is written down, leaves the results in the sweep's cells, and empties the chain. */
tg_status tg_chain_flush(tg_chain *chain, tg_sweep *sweep);

#endif
