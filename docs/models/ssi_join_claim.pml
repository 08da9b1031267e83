/* Three members that join, claim a name, hand it over, leave, crash and lose links: a model of
 * ssi/ssi_join.c, ssi_leave.c, ssi_member.c, ssi_claim.c and ssi_change.c.
 *
 * Every step is one PDR write under the lock, or none: a torn write is no write [P1], and what a
 * process does between lock and unlock nobody sees in halves. M0 and M1 are on one host and see each
 * other's life locks; M2 is on another, where only the operator knows that a process has ended.
 * A random incarnation is modelled as "the row was written by the process that lives".
 * On an NBD export the lock is ssi/ssi_lease.c's, and "under the lock, or none" is what its rules
 * [B2] to [B5] see to; they are tried by tests/unit/ssi/ssi_lease_sim_test.c, not here.
 * What is assumed: SET SSI DOWN is said only of a process that has ended (docs/caveats.md).
 *
 * Checked after every step:
 *   [I1] one member at most runs the guest, and the PDR names it as the owner
 *   [J1] one row at most says Joining; a member becomes Joined only while no other row says Joining
 *        or Leaving, and with a link to every row that says Joined
 *   [S4] no claim is given to a member in Safe mode
 * -DMUTATION=n takes one rule away; `make model` demands that each is missed. */
#ifndef MUTATION
#define MUTATION 0
#endif
#define MUT(n) (MUTATION == n)

#define N 3
#define NONE N
#define HOST(i) ((i) / 2)

#define ROW_DOWN 0
#define ROW_JOINING 1
#define ROW_JOINED 2
#define ROW_LEAVING 3

#define DEAD 0     /* no process, no life lock */
#define TURN 1     /* life lock held; waits for its turn */
#define LINKS 2    /* own row Joining */
#define IN 3
#define LEAVING 4
#define ISOLATED 5 /* found its row changed by another hand */

/* the PDR */
byte row[N];
bit mine[N];       /* the row is of the process that lives */
byte owner = NONE;

/* the processes */
byte state[N];
bit runs[N];       /* the guest executes here */
byte asked[N];     /* a claim beside the loop: 1 asked for, 2 in the PDR and not told yet */
bit pending[N];    /* a release that waits for the PDR, as after a write in doubt */
byte moving[N] = NONE; /* the guest is quiesced here, on its way to that member */
bit whole[N];      /* has the complete state of the guest that is on its way here */
bit up[N * N];     /* up[i * N + j]: i takes its link to j for ready */

#define UP(i, j) up[(i) * N + (j)]
#define ALIVE(i) (state[i] != DEAD)
#define TRANSIT(i) (row[i] == ROW_JOINING || row[i] == ROW_LEAVING)
#define OTHER1(i) (((i) + 1) % N)
#define OTHER2(i) (((i) + 2) % N)
#define TRANSITION(i) (TRANSIT(OTHER1(i)) || TRANSIT(OTHER2(i)))
#define LINKED(i, j) (row[j] != ROW_JOINED || UP(i, j))
#define ALL_LINKED(i) (LINKED(i, OTHER1(i)) && LINKED(i, OTHER2(i)))
#define ROW_IS(i, s) (mine[i] && row[i] == (s))
#define UNKNOWN(i, j) ((row[j] == ROW_JOINED || row[j] == ROW_LEAVING) && !UP(i, j))
#define SAFE(i) (UNKNOWN(i, OTHER1(i)) || UNKNOWN(i, OTHER2(i)))

inline down(j)
{
    row[j] = ROW_DOWN;
    if
    :: owner == j -> owner = NONE
    :: else
    fi
}

inline check()
{
    assert(runs[0] + runs[1] + runs[2] <= 1);                       /* [I1] */
    assert(!runs[0] || owner == 0);
    assert(!runs[1] || owner == 1);
    assert(!runs[2] || owner == 2);
    assert((row[0] == ROW_JOINING) + (row[1] == ROW_JOINING) +
           (row[2] == ROW_JOINING) <= 1)                            /* [J1] */
}

inline unlink(i)
{
    UP(i, OTHER1(i)) = 0; UP(i, OTHER2(i)) = 0
}

inline end_process(i)
{
    state[i] = DEAD; mine[i] = 0; runs[i] = 0; asked[i] = 0; pending[i] = 0; moving[i] = NONE;
    whole[i] = 0; unlink(i)
}

active [N] proctype Member()
{
    byte me = _pid;
    do
    :: atomic { state[me] == DEAD -> state[me] = TURN }
    :: atomic { state[me] != DEAD -> end_process(me); check() }      /* SIGKILL */
    /* own_past, then one's turn */
    :: atomic { state[me] == TURN && !mine[me] && row[me] != ROW_DOWN -> down(me); check() }
    :: atomic { state[me] == TURN && row[me] == ROW_DOWN && (!TRANSITION(me) || MUT(4)) ->
         down(me); row[me] = ROW_JOINING; mine[me] = 1; state[me] = LINKS; check() }
    :: atomic { state[me] == LINKS && !ROW_IS(me, ROW_JOINING) && !MUT(5) ->
         mine[me] = 0; unlink(me); state[me] = TURN }
    :: atomic { state[me] == LINKS && (ROW_IS(me, ROW_JOINING) || MUT(5)) &&
         !TRANSITION(me) && (ALL_LINKED(me) || MUT(6)) ->
         assert(ROW_IS(me, ROW_JOINING) && !TRANSITION(me) && ALL_LINKED(me)); /* [J1] */
         row[me] = ROW_JOINED; state[me] = IN; check() }
    :: atomic { state[me] == IN && !ROW_IS(me, ROW_JOINED) ->
         state[me] = ISOLATED; runs[me] = 0; asked[me] = 0; moving[me] = NONE; whole[me] = 0;
         unlink(me); check() }
    /* ssi_claim; in doubt: written, and not known to be */
    :: atomic { state[me] == IN && ROW_IS(me, ROW_JOINED) && (!SAFE(me) || MUT(7)) &&
         (owner == NONE || MUT(8)) && !runs[me] && !asked[me] && !whole[me] && moving[me] == NONE ->
         assert(!SAFE(me));                                            /* [S4] */
         owner = me; runs[me] = 1; check() }
    :: atomic { state[me] == IN && ROW_IS(me, ROW_JOINED) && !SAFE(me) && owner == NONE &&
         !pending[me] -> owner = me; pending[me] = 1; check() }
    /* ssi_ask: asked for, carried out by a job, told and taken, or given back; whatever comes between.
     * M0 alone does it: all three are too many states */
    :: atomic { me == 0 && state[me] == IN && ROW_IS(me, ROW_JOINED) && !SAFE(me) && !asked[me] && !runs[me] &&
         !whole[me] && moving[me] == NONE && !pending[me] -> asked[me] = 1 }
    :: atomic { asked[me] == 1 && (state[me] == IN || state[me] == LEAVING) &&
         (ROW_IS(me, ROW_JOINED) || ROW_IS(me, ROW_LEAVING)) ->
         if
         :: owner == NONE -> owner = me; asked[me] = 2
         :: owner != NONE -> asked[me] = (MUT(9) -> 2 : 0)
         fi;
         check() }
    :: atomic { asked[me] == 2 && state[me] == IN && !whole[me] -> asked[me] = 0; runs[me] = 1; check() }
    :: atomic { asked[me] == 2 -> asked[me] = 0; pending[me] = 1 }
    /* the destination of a relocation looks into the PDR, until it is the owner or gives up */
    :: atomic { whole[me] && state[me] == IN && ROW_IS(me, ROW_JOINED) &&
         (owner == me || MUT(3)) && (asked[me] != 2 || MUT(10)) && !runs[me] -> whole[me] = 0; runs[me] = 1; check() }
    :: atomic { whole[me] && (owner != me || asked[me] == 2) -> whole[me] = 0 }
    /* ssi_release, at once or later */
    :: atomic { runs[me] && (state[me] == IN || state[me] == LEAVING) ->
         runs[me] = 0;
         if
         :: owner = NONE
         :: pending[me] = 1
         fi;
         check() }
    :: atomic { pending[me] && (state[me] == IN || state[me] == LEAVING) ->
         if
         :: owner == me && !runs[me] && moving[me] == NONE && asked[me] != 2 -> owner = NONE /* generations */
         :: else
         fi;
         pending[me] = 0; check() }
    /* leaving waits for its turn, until it waits no longer */
    :: atomic { state[me] == IN && ROW_IS(me, ROW_JOINED) && moving[me] == NONE && !whole[me] ->
         row[me] = ROW_LEAVING; state[me] = LEAVING; check() }
    :: atomic { state[me] == LEAVING && ROW_IS(me, ROW_LEAVING) ->
         down(me); end_process(me); check() }
    :: atomic { state[me] == LEAVING && !ROW_IS(me, ROW_LEAVING) -> end_process(me); check() }
    od
}

/* What one member does about another: its row, the link to it, the guest on its way there. */
active [N * 2] proctype Pair()
{
    byte me = (_pid - N) / 2;
    byte j = (me + 1 + _pid % 2) % N;
    do
    /* ssi_rows_bury: the life lock of a process on this host is free */
    :: atomic { (state[me] == TURN || state[me] == LINKS || state[me] == IN) && !UP(me, j) &&
         row[j] != ROW_DOWN && HOST(me) == HOST(j) && (!ALIVE(j) || MUT(1)) ->
         down(j); check() }
    /* SET SSI DOWN */
    :: atomic { state[me] == IN && ROW_IS(me, ROW_JOINED) && row[j] != ROW_DOWN && !UP(me, j) &&
         !ALIVE(j) -> down(j); check() }
    /* transition_wait: a joiner whose heartbeat stands still is passed over, alive or not */
    :: atomic { state[me] == TURN && (row[j] == ROW_JOINING || (MUT(2) && row[j] == ROW_LEAVING)) ->
         down(j); check() }
    /* a link comes about; the other side may have gone to the end of its own already */
    :: atomic { (state[me] == LINKS || state[me] == IN) && (state[j] == LINKS || state[j] == IN) &&
         !UP(me, j) && !UP(j, me) && (row[me] != ROW_JOINING || row[j] != ROW_JOINING) ->
         UP(me, j) = 1; UP(j, me) = 1 }
    /* a link is lost, and noticed on this side */
    :: atomic { UP(me, j) -> UP(me, j) = 0 }
    /* relocation: quiesced here and complete there; then the one write, or it is given up */
    :: atomic { runs[me] && state[me] == IN && UP(me, j) && state[j] == IN ->
         runs[me] = 0; moving[me] = j; whole[j] = 1; check() }
    :: atomic { moving[me] == j && ROW_IS(me, ROW_JOINED) && owner == me &&
         row[j] == ROW_JOINED && UP(me, j) && !(HOST(me) == HOST(j) && !ALIVE(j)) ->
         owner = j; moving[me] = NONE; check() }
    :: atomic { moving[me] == j && ROW_IS(me, ROW_JOINED) ->
         moving[me] = NONE; runs[me] = (owner == me); check() }
    od
}
