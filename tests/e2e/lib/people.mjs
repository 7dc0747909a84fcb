// Many in one meeting: voices that can be told apart, and what each of them hears and sees of the others.
import { until } from './service.mjs';

export const kTones = [500, 800, 1250, 2000, 3150];
/** A tone that is heard stands out by so much, in dB; one that is not, by less than half of it. */
const kHeard = 20;

/** So many people with a voice each come to the meeting, one after the other; `options(i)`: what the ith wishes. */
export async function gather(clients, meeting, many, options = () => ({})) {
    const people = [];
    for (let i = 0; i < many; ++i) {
        const { capabilities, ...wishes } = options(i);
        const person = await clients.join(await meeting.pass(`person-${i}`, capabilities), { together: true, tone: kTones[i], camera: false, ...wishes });
        person.tone = kTones[i];
        people.push(person);
    }
    return people;
}

export const pictures = (page) => page.evaluate(() => window.client.pictures());

/** The tones that a person hears, on the left and on the right. */
export async function tonesHeard(page) {
    const sides = await page.evaluate((tones) => window.client.hearing(tones), kTones);
    return sides.map((side) => kTones.filter((tone) => side[tone] >= kHeard));
}

export async function hearsExactly(page, tones, patience) {
    let last;
    await until(`${tones.join(', ')} Hz to be heard and nothing else`, async () => {
        [last] = await tonesHeard(page);
        return last.join() === tones.join();
    }, patience).catch((error) => {
        throw new Error(`${error.message}; heard: ${last}`);
    });
}

/** The pictures of all these others move. */
export async function seesAll(page, others, patience = 30_000) {
    const before = await pictures(page);
    await until(`${others.length} pictures to move`, async () => {
        const now = await pictures(page);
        return others.every(({ attendee }) => (now[attendee]?.frames ?? 0) >= (before[attendee]?.frames ?? 0) + 5);
    }, patience);
}

/** Waits for the picture of `other`, a person or an attendee's id, to be as it should. */
export async function pictureOf(page, other, fits, what, patience = 30_000) {
    let last;
    return until(what, async () => {
        last = (await pictures(page))[other.attendee ?? other];
        return last && fits(last) && last;
    }, patience).catch((error) => {
        throw new Error(`${error.message}; last seen: ${JSON.stringify(last)}`);
    });
}
