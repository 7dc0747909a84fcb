/** Looks for a call that cannot be reached any more: the service may have moved it to another of its nodes. */

import { ApiError, type Pass } from './api';

/** The service needs some seconds to notice that a node is gone; this is how soon the page notices that it has. */
const kAskEvery = 1000;
/** As long as the client library goes on trying by itself. */
const kGiveUpAfter = 120_000;

export interface Finds {
    /** Joins again: the same person, the same meeting, and where it is now. */
    ask: () => Promise<Pass>;
    /** It has moved. */
    moved: (pass: Pass) => void;
    /** The service does not let this person in any more. */
    refused: (error: ApiError) => void;
}

export class Search {
    private timer: ReturnType<typeof setTimeout> | undefined;
    private round = 0; // Of the present search; an answer to an earlier one comes too late.
    private until = 0;
    private running = false;

    constructor(
        private at: string, // Where the call is, as far as the page knows: its signalling address.
        private readonly finds: Finds,
    ) {}

    /** Goes on until `end`; nothing new when it is on already. */
    begin(delay = 0): void {
        if (this.running) {
            if (delay === 0) this.until = Date.now() + kGiveUpAfter;
            return;
        }
        this.running = true;
        this.until = Date.now() + kGiveUpAfter;
        this.wait(delay, ++this.round);
    }

    end(): void {
        this.running = false;
        this.round += 1;
        clearTimeout(this.timer);
    }

    private wait(delay: number, round: number): void {
        this.timer = setTimeout(() => void this.look(round), delay);
    }

    private async look(round: number): Promise<void> {
        try {
            const pass = await this.finds.ask();
            if (round !== this.round) return;
            if (pass.media_placement.signaling_url !== this.at) {
                this.at = pass.media_placement.signaling_url;
                this.finds.moved(pass);
            }
        } catch (error) {
            if (round !== this.round) return;
            if (error instanceof ApiError && isFinal(error.status)) {
                this.end();
                this.finds.refused(error);
                return;
            }
        }
        if (round === this.round && Date.now() < this.until) this.wait(kAskEvery, round);
    }
}

function isFinal(status: number): boolean {
    return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
