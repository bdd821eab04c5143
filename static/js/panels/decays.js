// Whether a spec keeps its weights small, by a penalty or by weight decay.

/** @param {any} spec @returns {boolean} */
export const decays = ({ optimizer, regularisation }) =>
  Boolean(optimizer?.weight_decay || regularisation?.l1 || regularisation?.l2 || (optimizer?.type === "adamw" && optimizer.weight_decay !== 0));
