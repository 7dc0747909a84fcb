/** Starts the page. */

import { App } from './app';
import { readLink } from './link';

const root = document.getElementById('app');
if (root) void new App(readLink(window.location), root).begin();

// Another link pasted over this one differs perhaps in its fragment only, which does not load the page again.
window.addEventListener('hashchange', () => window.location.reload());
