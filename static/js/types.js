// The shapes that travel between server and page, and through the page, as JSDoc types. No code.

/** @typedef {number | "NaN" | "Infinity" | "-Infinity"} Num */
/** @typedef {{iteration: number, step: number, of: number}} Position  step = how many steps of the iteration are done */

/** @typedef {any} NestedNumbers  nested lists of Num; a bare Num for shape [] */
/**
 * @typedef {object} ArrayData
 * @property {number[]} shape
 * @property {string} dtype
 * @property {NestedNumbers | null} data  null when there are more than 4,096 entries
 * @property {Num | null} min
 * @property {Num | null} max
 * @property {Num | null} mean
 * @property {Num | null} norm
 * @property {number} nonfinite
 */

/**
 * @typedef {object} GraphNode
 * @property {string} name
 * @property {string} op
 * @property {"op" | "parameter" | "input" | "target" | "constant" | "noise" | "buffer"} kind
 * @property {string[]} inputs
 * @property {number[]} shape
 * @property {string} scope
 * @property {string} [group]  the innermost scope around it on the stage
 * @property {string} label
 * @property {string} mathml
 * @property {string} symbol
 * @property {string} summary
 * @property {Record<string, any>} [attrs]  what the op was told: stride, kernel_size, axes
 * @property {boolean} requires_grad
 * @property {boolean} editable
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 */
/** @typedef {{from: string, to: string, slot: number, points: [number, number][]}} GraphEdge */
/** @typedef {{x: number, y: number, width: number, height: number}} Rectangle */
/** @typedef {"scalars" | "fused"} Form  every number a node; all time steps of a recurrent layer one node */
/**
 * @typedef {object} Scope  a layer, a time step, a tensor taken apart: one box when closed, a frame when open
 * @property {string} name @property {string} label @property {string | null} parent @property {string} says  its ops
 * @property {number} ops @property {string[]} parameters
 * @property {string[]} outputs  nodes whose values leave it
 * @property {boolean} open @property {Rectangle | null} place  null where it is not drawn
 */
/** @typedef {{collapse: "all" | "none", open: string[]}} Folds  every scope closed but those, or every one open */
/** @typedef {{width: number, height: number, nodes: GraphNode[], edges: GraphEdge[], scopes?: Scope[]}} Graph */
/** @typedef {{index: number, phase: string, node: string | null, label: string, mathml: string, error?: string | null}} PlanEntry */
/** @typedef {{bytes: number[], phases: string[], nodes: (string | null)[], peak: number, peak_at: number}} MemorySeries */
/** @typedef {{iteration: number, plan: MemorySeries, plain: MemorySeries, recomputed: number, computed: number}} Memory */
/** @typedef {{iteration: number, parts: number[], loss: number, worst: number, parameters: {node: string, label: string, parts: any[] | null, sum: any, large_batch: any}[]}} Proof */
/** @typedef {{loss_scale: number | null, overflow: boolean, skipped_updates: number, parameters: {node: string, label: string, lost: number, infinite: number, of: number, smallest: number}[]}} Underflow */

/** @typedef {{node: string, slot: string, value: ArrayData | null}} Write */
/** @typedef {{from: string, to: string, slot: number, value: ArrayData, first: boolean}} Contribution */
/** @typedef {{node: string, slot: string, index: number | null, value: Num}} Ref */
/**
 * @typedef {object} Line
 * @property {"forward" | "contribution" | "sum" | "update" | "state" | "norm"} kind
 * @property {string | null} to
 * @property {number | null} slot
 * @property {string} symbols
 * @property {string} numbers
 * @property {string} result
 * @property {string | null} upstream
 * @property {string | null} local
 * @property {number[] | null} element
 */
/** @typedef {{fn: string, x: number, y: number, slope: number, xs: number[], ys: number[]}} Curve */
/**
 * @typedef {object} Frame
 * @property {number} index
 * @property {Position} position
 * @property {string} phase
 * @property {string | null} node
 * @property {string | null} op
 * @property {Write[]} writes
 * @property {Contribution[]} contributions
 * @property {{latex: string, mathml: string, numbers: string}} formula
 * @property {Line[]} lines
 * @property {Record<string, Ref>} refs
 * @property {Curve | null} curve
 * @property {string} says
 * @property {{numpy: string, pytorch: string}} code
 * @property {{type: string, message: string} | null} [error]  what PyTorch would raise here; the walk ends with this step
 */

/**
 * @typedef {object} NodeState
 * @property {string} name
 * @property {ArrayData | null} value
 * @property {ArrayData | null} grad
 * @property {Record<string, ArrayData>} state  the optimizer's slots
 */
/** @typedef {Record<string, NodeState>} Nodes */

/** @typedef {{step: number, iteration: number, epoch: number, batch: number, batches: number, samples: number}} Counters */
/** @typedef {{lr: number, lr_now: number, zero_grad: boolean, clip: any}} Settings */
/** @typedef {{node: string, before: Num, after: Num, predicted: Num, actual: Num}} Effect */
/** @typedef {{iteration: number[], train_loss: Num[], validation_loss: (Num | null)[], lr: Num[], grad_norm: Num[]}} History */
/**
 * @typedef {object} Session
 * @property {string} id
 * @property {string} title
 * @property {string | null} lesson
 * @property {number} revision
 * @property {any} spec
 * @property {Graph} graph
 * @property {PlanEntry[]} plan
 * @property {Position} position
 * @property {Counters} counters
 * @property {Num | null} loss
 * @property {Settings} settings
 * @property {{iteration: number}[]} changes  the log of edits; only when they count is of interest here
 * @property {{iteration: number, step: number}} seen
 * @property {{index: number, says: string}[]} notes
 */
/**
 * @typedef {object} Answer
 * @property {string} id
 * @property {number} revision
 * @property {Position} position
 * @property {Counters} counters
 * @property {Num | null} loss
 * @property {Settings} settings
 * @property {{iteration: number, step: number}} seen
 * @property {Frame[]} [frames]
 * @property {Effect | null} [effect]
 * @property {PlanEntry[]} [plan]
 * @property {{iteration: number}[]} [changes]
 */
/** @typedef {{node: string, index: number[], automatic: Num, numerical: Num, relative_error: Num, ok: boolean}} CheckEntry */
/** @typedef {{position: Position, epsilon: number, entries: CheckEntry[], worst: Num, ok: boolean, verdict: string}} GradientCheck */
/** @typedef {{approach: string, error: Num | null, evaluations: number, gradient: Record<string, any>, formula?: Record<string, string>}} Approach */
/** @typedef {{iteration: number, numbers: number, outputs: number, rows: Approach[], sweep: {epsilon: number[], one_sided: (Num | null)[], central: (Num | null)[]}}} Approaches */
/** @typedef {{id: string, title: string, topic: string, question: string, summary?: string, picture?: any, spec?: any, takeaway?: string, convention?: string, source?: string, links?: {says: string, href: string}[], next?: {id: string, title: string} | null}} Lesson */

/**
 * What the walk page knows; every panel watches the part that it draws.
 * @typedef {object} State
 * @property {Session} session
 * @property {Position} position  of the page; the server follows a moment later
 * @property {PlanEntry[]} plan
 * @property {Graph} graph
 * @property {Frame | null} frame  the frame last run at the position
 * @property {Nodes} nodes  values and gradients at the position
 * @property {PlanEntry | null} next
 * @property {string | null} selected
 * @property {string | {node: string, slot: string} | null} hover
 * @property {boolean} playing
 * @property {number} speed
 * @property {string} tab  "graph", or one of its pictures
 * @property {boolean} projection
 * @property {"auto" | "light" | "dark"} theme
 * @property {History | null} history
 * @property {Effect | null} effect
 * @property {{code: string, message: string, where?: string | null} | null} error
 * @property {boolean} busy
 * @property {boolean} stale  an edit has been made and its consequences are not here yet
 * @property {{iteration: number, of: number, loss: Num | null} | null} progress  of a training that takes a while
 * @property {number[]} breakpoints  plan indices where playing stops
 * @property {number} moved  counts moves; with `motion` tells the stage whether to show travel
 * @property {"step" | "jump"} motion  how the position was reached: by one step ahead, or otherwise
 * @property {string | null} editing  the leaf whose editor is open
 * @property {Folds | null} folds  which scopes are open, where they are others than at first
 * @property {boolean} following  the scopes around the present step open by themselves
 */

/**
 * What a visitor can do, from a key, a button or a panel.
 * @typedef {object} Actions
 * @property {(n: number) => void} step
 * @property {(n: number) => void} phase
 * @property {(n: number) => void} iteration
 * @property {(n: number) => void} epoch
 * @property {() => void} toStart
 * @property {() => void} toEnd
 * @property {(position: {iteration: number, step: number}) => Promise<void>} seek
 * @property {() => void} play
 * @property {() => void} pause
 * @property {() => void} toggle
 * @property {(x: number) => void} setSpeed
 * @property {(name: string | null) => void} select
 * @property {(x: string | {node: string, slot: string} | null) => void} hover
 * @property {(iteration: number, index: number) => void} goto  shows the step with this plan index, just done
 * @property {(node: string, value: unknown) => Promise<void>} setValue
 * @property {(change: {lr?: number, zero_grad?: boolean, clip?: unknown}) => Promise<void>} patch
 * @property {(iterations: number) => Promise<void>} train
 * @property {() => void} stopTraining
 * @property {() => Promise<GradientCheck | null>} gradientCheck
 * @property {(form: Form, on: boolean) => Promise<void>} turn  shows the run in another form, or without it again
 * @property {(name: string) => Promise<void>} turnScope  opens a scope, or closes it
 * @property {(how: "all" | "none", open?: string[]) => Promise<void>} collapse  closes every scope but those, or none
 * @property {() => void} toggleFollowing  whether the scopes around the present step open by themselves
 * @property {(tab: string) => void} setTab
 * @property {() => void} turnTab  to the next picture
 * @property {() => void} toggleProjection
 * @property {() => void} toggleTheme
 * @property {() => Promise<string>} share  copies the link and returns it
 * @property {() => Promise<void>} anew  opens this moment in another session
 * @property {() => void} dismissError
 * @property {(name: string | null) => void} edit  opens the editor of a leaf, or closes it
 * @property {(index: number) => void} toggleBreakpoint
 * @property {(moment: {iteration: number, step: number}) => Nodes | null} nodesAt  a state that the page has already
 * @property {(iteration: number, index: number) => Frame | null} frame  a frame that the page has already
 */

/**
 * A walk as it begins, before there is a session: what the page brings along.
 * @typedef {object} Beginning
 * @property {Session} session  its id is ""
 * @property {Nodes} nodes  at the first moment
 * @property {Frame[]} frames  of the first iteration
 */

export {};
