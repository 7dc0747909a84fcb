/** All that pulls in the client library; loaded while the page already says what the visit is about. */

export { Call } from './call';
export { Devices, LevelMeter } from './devices';
