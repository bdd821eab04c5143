// The panels that explain a step rather than make it: fetched beside the others, mounted when those can be pressed.

import { mount as chart } from "./panels/chart.js";
import { mount as inspector } from "./panels/inspector.js";
import { mount as learningRate } from "./panels/learning_rate.js";
import { mount as program } from "./panels/program.js";

/** @type {Record<string, (element: HTMLElement, store: any, actions: any) => void>} */
export const REST = { program, inspector, chart, learning_rate: learningRate };
